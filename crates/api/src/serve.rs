//! `loyalty-api serve`: from a command line to a server that answers, and to its end.

use std::future::Future;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use sqlx::AnyPool;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinHandle;

use crate::clock::Clock;
use crate::config::Serve;
use crate::db::{self, Database, Stage};
use crate::failure::Failure;
use crate::http::{self, App};
use crate::mail::Mailer;
use crate::secret_key::SecretKey;
use crate::{say, seed, webhooks, worker};

/// For how long requests that are being answered may go on once the end was asked for.
const GRACE: Duration = Duration::from_secs(4);

/// Serves until the process is told to stop.
///
/// # Errors
/// [`Failure`] where it cannot begin.
pub async fn run(db: Database, config: Serve) -> Result<(), Failure> {
    let end = told_to_stop()?;
    let server = start(db, config).await?;
    say(&format!("listening on http://{}", server.address));
    end.await;
    server.stop().await
}

/// A server that answers.
#[derive(Debug)]
pub struct Server {
    /// Where, with the port that was really bound.
    pub address: SocketAddr,
    end: watch::Sender<bool>,
    task: JoinHandle<std::io::Result<()>>,
    worker: JoinHandle<()>,
    webhooks: JoinHandle<()>,
    member_events: JoinHandle<()>,
    app: Arc<App>,
}

impl Server {
    /// What its handlers share, for tests that move the clock and wait until what is due is done.
    pub fn app(&self) -> &App {
        &self.app
    }

    /// Ends it within seconds: it takes no more requests, and finishes those that it has.
    ///
    /// # Errors
    /// [`Failure`] where serving failed meanwhile.
    pub async fn stop(self) -> Result<(), Failure> {
        let failed = |error: std::io::Error| Failure::new(format!("Serving failed: {error}."));
        self.end.send_replace(true);
        // What the worker is doing for one member is finished or undone by its transaction.
        let ended = async { tokio::join!(self.task, self.worker, self.webhooks, self.member_events).0 };
        match tokio::time::timeout(GRACE, ended).await {
            Ok(Ok(ended)) => ended.map_err(failed),
            Ok(Err(broken)) => Err(failed(broken.into())),
            // What is still being answered is cut off.
            Err(_) => Ok(()),
        }
    }
}

/// Takes the port, brings a demo's database up, and begins to answer.
///
/// # Errors
/// [`Failure`] where the address, the folder, the URL or the database is none to serve with.
pub async fn start(db: Database, config: Serve) -> Result<Server, Failure> {
    if let Some(folder) = config
        .wallet_dir
        .as_deref()
        .filter(|folder| !folder.join("index.html").is_file())
    {
        return Err(Failure::new(format!(
            "There is no built wallet in {}: it has no index.html.",
            folder.display()
        )));
    }
    if config.demo && !config.demo_in_public && !config.host.is_loopback() {
        return Err(Failure::new(format!(
            "Anybody can sign in to a demo, so it listens on {}, which others can reach, only with --demo-in-public.",
            config.host
        )));
    }
    let origin = config.public_url.as_deref().map(http::origin).transpose()?;
    let wallet_origins: Vec<String> = config
        .wallet_origins
        .iter()
        .map(|url| http::origin(url))
        .collect::<Result<_, _>>()?;
    let mailer = match (&config.smtp_url, &config.mail_from) {
        (Some(url), Some(from)) => Some(Mailer::new(url, from)?),
        _ => None,
    };
    let address = SocketAddr::new(config.host, config.port);
    let listener = TcpListener::bind(address).await.map_err(|error| match error.kind() {
        std::io::ErrorKind::AddrInUse => Failure::new(format!(
            "Port {} is taken by another program: choose one with --port.",
            config.port
        )),
        _ => Failure::new(format!("The server cannot listen on {address}: {error}.")),
    })?;
    let cannot_listen = |error| Failure::new(format!("The server cannot listen on {address}: {error}."));
    let address = listener.local_addr().map_err(cannot_listen)?;

    let clock = config.clock.map_or_else(Clock::default, Clock::starting_at);
    let demo = prepare(&db.pool, &config, clock.clone()).await?;
    webhooks::check_key(&db.pool, config.secret_key.as_ref()).await?;
    let (end, mut ended) = watch::channel(false);
    let mut is_over = ended.clone();
    let sending = webhooks::run(db.clone(), clock.clone(), config.secret_key.clone(), async move {
        let _ = is_over.changed().await;
    });
    let code_key = match &config.secret_key {
        None if demo => Some(SecretKey::of_demo(&db).await?),
        key => key.clone(),
    };
    if code_key.is_none() {
        tracing::warn!("without LOYALTY_SECRET_KEY members cannot show their code on a phone");
    }
    let app = App::new(db, clock, demo.then_some(config.demo_in_public), origin)
        .with_movable_clock(config.clock.is_some())
        .with_wallets_at(wallet_origins)
        .with_mailer(mailer)
        .with_secret_key(code_key.as_ref())
        .behind(&config.trusted_proxies);
    let app = Arc::new(app);
    let router = http::router(Arc::clone(&app), &config)?;
    let worker = tokio::spawn(worker::run(Arc::clone(&app), ended.clone()));
    let member_events = tokio::spawn(http::member_events::run(Arc::clone(&app), ended.clone()));
    let service = router.into_make_service_with_connect_info::<SocketAddr>();
    let serving = axum::serve(listener, service).with_graceful_shutdown(async move {
        // An error means that the handle was dropped, which ends the server as well.
        let _ = ended.changed().await;
    });
    Ok(Server {
        address,
        end,
        task: tokio::spawn(serving.into_future()),
        worker,
        webhooks: tokio::spawn(sending),
        member_events,
        app,
    })
}

/// Refuses a database that does not fit, and fills one for a demo. Tells whether it is a demo.
async fn prepare(db: &AnyPool, config: &Serve, clock: Clock) -> Result<bool, Failure> {
    match (db::stage(db).await?, config.demo) {
        (Stage::Seeded { demo: true }, false) => Err(Failure::new(
            "The database is a demo's, in which anybody can sign in: serve it with --demo, or use another one.",
        )),
        (Stage::Seeded { demo: false }, true) => Err(Failure::new(
            "The database is not a demo's: --demo would let anybody sign in to it. Serve it without, or use another one.",
        )),
        (Stage::Empty | Stage::Migrated, true) => {
            db::migrate(db).await?;
            seed::seed(db, &config.seed, clock).await?;
            Ok(true)
        }
        (Stage::Seeded { .. }, true) => {
            db::migrate(db).await?;
            Ok(true)
        }
        (stage, false) => {
            if stage != Stage::Empty {
                db::check_tables(db).await?;
            }
            if stage != (Stage::Seeded { demo: false }) {
                tracing::warn!("the database has no programme yet: until it has one, the answer is 503");
            }
            Ok(false)
        }
    }
}

/// Completes when the process is told to stop: by SIGTERM, or by Ctrl-C.
fn told_to_stop() -> Result<impl Future<Output = ()>, Failure> {
    use tokio::signal::unix::{SignalKind, signal};
    let listen = |kind| signal(kind).map_err(|error| Failure::new(format!("Signals cannot be received: {error}.")));
    let (mut terminate, mut interrupt) = (listen(SignalKind::terminate())?, listen(SignalKind::interrupt())?);
    Ok(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
    })
}
