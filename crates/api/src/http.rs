//! HTTP: what is answered where, and what holds for every answer.
//!
//! A handler returns [`Result`]; an [`Error`] becomes a problem document in the language that the caller asked for.

mod answer;
mod auth;
mod caller;
mod cards;
mod claims;
mod code_keys;
mod counter;
mod counter_sessions;
mod deadlines;
mod demo;
mod devices;
mod documents;
mod error;
mod export;
mod extract;
mod guard;
mod guesses;
mod health;
mod idempotency;
mod identify;
mod leaving;
mod ledger;
mod manifest;
mod media;
pub(crate) mod member_events;
mod members;
mod openapi;
mod page;
mod peer;
mod problems;
mod profile;
mod programme;
mod purchases;
mod quotes;
mod redemptions;
mod reports;
mod rewards;
mod session;
mod sessions;
mod statement;
mod status;
mod terms;
mod wallet;

use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use axum::Router;
use axum::extract::State;
use axum::http::{HeaderMap, Uri};
use axum::middleware::{from_fn, from_fn_with_state};
use axum::routing::get;
use ipnet::IpNet;
use loyalty_contract::{BASE, Instant, ProblemCode};
use tower::util::option_layer;
use tower_governor::GovernorLayer;
use tower_governor::governor::GovernorConfigBuilder;
use tower_http::catch_panic::CatchPanicLayer;
use tower_http::compression::CompressionLayer;

use crate::clock::Clock;
use crate::config::Serve;
use crate::db::Database;
use crate::failure::Failure;
use crate::mail::Mailer;
use crate::member_code::CodeSecrets;
use crate::secret_key::SecretKey;
use crate::shop::Shop;
use crate::worker;

use peer::Proxies;

pub(crate) use auth::{email_address, phone_number};
pub use error::{Error, Result};
pub(crate) use extract::MOST_MINOR;
pub(crate) use members::{is_language_tag, is_name};
pub(crate) use purchases::fingerprint;

/// What every handler shares. It holds no state of a request: any number of processes serve one database.
#[derive(Debug)]
pub struct App {
    db: Database,
    clock: Clock,
    demo: bool,
    demo_in_public: bool,
    /// A test may move the clock.
    clock_can_move: bool,
    /// The origin that browsers reach this server by, where it is set.
    origin: Option<String>,
    /// Where the wallet is served from apart from this server.
    wallet_origins: Vec<String>,
    /// What sends codes, where something is set up for it.
    mailer: Option<Mailer>,
    /// What keeps the secrets of members' codes, where there is a key for it.
    code_secrets: Option<CodeSecrets>,
    proxies: Proxies,
    shop: RwLock<Option<Arc<Shop>>>,
    in_flight: idempotency::InFlight,
    listeners: member_events::Listeners,
}

impl App {
    /// What handlers share. `demo` is there for a demo's database only, and says whether it answers in public.
    pub fn new(db: Database, clock: Clock, demo: Option<bool>, origin: Option<String>) -> Self {
        let (is_demo, demo_in_public) = (demo.is_some(), demo == Some(true));
        Self {
            db,
            clock,
            demo: is_demo,
            demo_in_public,
            clock_can_move: false,
            origin,
            wallet_origins: Vec::new(),
            mailer: None,
            code_secrets: None,
            proxies: Proxies::default(),
            shop: RwLock::default(),
            in_flight: idempotency::InFlight::default(),
            listeners: member_events::Listeners::default(),
        }
    }

    /// Lets a demo's clock be moved over HTTP, for tests.
    #[must_use]
    pub fn with_movable_clock(self, can_move: bool) -> Self {
        Self {
            clock_can_move: can_move,
            ..self
        }
    }

    /// Lets happen what is due by now for everybody.
    ///
    /// # Errors
    /// [`Error`] where the database does not answer.
    pub async fn attend_all(&self) -> Result<()> {
        match self.shop().await {
            Ok(shop) => worker::attend_all(&self.db, &shop, self.clock.now()).await,
            // Without a programme there is nobody to look after yet.
            Err(Error::Unavailable(_)) => Ok(()),
            Err(error) => Err(error),
        }
    }

    /// The database that this serves.
    pub fn database(&self) -> &Database {
        &self.db
    }

    /// The clock that this server goes by.
    pub fn clock(&self) -> &Clock {
        &self.clock
    }

    /// What time it is for this server.
    pub fn now(&self) -> Instant {
        self.clock.now()
    }

    /// For wallets that are served from these origins as well; each as [`origin`] writes it.
    #[must_use]
    pub fn with_wallets_at(self, wallet_origins: Vec<String>) -> Self {
        Self { wallet_origins, ..self }
    }

    /// With something that sends codes by e-mail. A demo shows them instead.
    #[must_use]
    pub fn with_mailer(self, mailer: Option<Mailer>) -> Self {
        let mailer = mailer.filter(|_| !self.demo);
        Self { mailer, ..self }
    }

    /// With the key under which the secrets of members' codes are kept.
    #[must_use]
    pub fn with_secret_key(self, key: Option<&SecretKey>) -> Self {
        let code_secrets = key.and_then(CodeSecrets::new);
        Self { code_secrets, ..self }
    }

    /// Behind proxies that are believed about who is asking.
    #[must_use]
    pub fn behind(self, networks: &[IpNet]) -> Self {
        let proxies = Proxies::new(networks);
        Self { proxies, ..self }
    }

    /// The programme as it is now; 503 before there is one.
    async fn shop(&self) -> Result<Arc<Shop>> {
        let revision: Option<(i64,)> = sqlx::query_as("select revision from programme")
            .fetch_optional(&self.db.pool)
            .await?;
        let (revision,) = revision.ok_or_else(|| Error::unavailable("there is no programme yet"))?;
        // A poisoned lock still guards a whole value: it is only ever replaced.
        let kept = self.shop.read().unwrap_or_else(PoisonError::into_inner).clone();
        if let Some(shop) = kept.filter(|shop| shop.revision == revision) {
            return Ok(shop);
        }
        let shop = Shop::load(&self.db.pool).await.map_err(Error::internal)?;
        let shop = Arc::new(shop.ok_or_else(|| Error::unavailable("there is no programme yet"))?);
        *self.shop.write().unwrap_or_else(PoisonError::into_inner) = Some(Arc::clone(&shop));
        Ok(shop)
    }

    /// Whether cookies travel over https only.
    fn is_secure(&self) -> bool {
        self.origin
            .as_deref()
            .is_some_and(|origin| origin.starts_with("https://"))
    }
}

/// The origin of a URL that browsers go to, which has nothing but a scheme, a host and perhaps a port.
///
/// # Errors
/// [`Failure`] where it has more, or less.
pub fn origin(url: &str) -> Result<String, Failure> {
    let wrong = || Failure::new(format!("The address {url:?} is not like https://wallet.example."));
    let parsed: Uri = url.parse().map_err(|_| wrong())?;
    let (Some(scheme), Some(authority)) = (parsed.scheme_str(), parsed.authority()) else {
        return Err(wrong());
    };
    let default_port = match scheme {
        "http" => 80,
        "https" => 443,
        _ => return Err(wrong()),
    };
    let host = authority.host().to_lowercase();
    let is_plain = matches!(parsed.path(), "" | "/") && parsed.query().is_none() && !authority.as_str().contains('@');
    match authority.port_u16() {
        _ if !is_plain => Err(wrong()),
        // As browsers write an origin, which leaves out the port that goes without saying.
        Some(port) if port == default_port => Ok(format!("{scheme}://{host}")),
        Some(port) => Ok(format!("{scheme}://{host}:{port}")),
        None if authority.as_str().len() == host.len() => Ok(format!("{scheme}://{host}")),
        None => Err(wrong()),
    }
}

/// Everything that is answered.
///
/// # Errors
/// [`Failure`] where the rate limit cannot be set up.
pub fn router(app: Arc<App>, config: &Serve) -> Result<Router, Failure> {
    let (api, document) = openapi::api().split_for_parts();
    let document = document
        .to_json()
        .map_err(|error| Failure::new(format!("OpenAPI cannot be written: {error}.")))?;
    let api = api
        .route(
            &format!("{BASE}/openapi.json"),
            get(async move || openapi::answer(document)),
        )
        .route_layer(from_fn(session::renewed))
        .route_layer(from_fn_with_state(Arc::clone(&app), guard::same_site));
    let folder = config.wallet_dir.clone();
    let router = rate_limited(api, config.burst, app.proxies.clone())?
        .route("/healthz", get(health::healthz))
        .route("/readyz", get(health::readyz))
        .route("/media/{name}", get(media::get_media))
        .route(
            &format!("/{}", manifest::NAME),
            get(async move |State(app), asked: HeaderMap| manifest::get_manifest(app, folder.clone(), asked).await),
        )
        .method_not_allowed_fallback(async || {
            Error::refuse(ProblemCode::MethodNotAllowed, "the path has no such method")
        })
        .fallback_service(wallet::service(config.wallet_dir.as_deref()))
        .with_state(Arc::clone(&app));
    Ok(around(router, app))
}

/// What holds for every answer: compressed, harmless in a browser, and a problem document where it failed.
fn around(router: Router, app: Arc<App>) -> Router {
    router
        .layer(CompressionLayer::new())
        .layer(from_fn_with_state(Arc::clone(&app), guard::demo_stays_here))
        .layer(CatchPanicLayer::custom(error::panicked))
        .layer(from_fn(problems::worded))
        .layer(from_fn_with_state(Arc::clone(&app), guard::harmless))
        .layer(option_layer(guard::wallets_apart(&app)))
}

/// Lets one address make so many requests at once, and an eighth of that each second from then on.
fn rate_limited(router: Router<Arc<App>>, burst: u32, proxies: Proxies) -> Result<Router<Arc<App>>, Failure> {
    const FORGET_IDLE_CALLERS: Duration = Duration::from_secs(60);
    let config = GovernorConfigBuilder::default()
        .period(Duration::from_secs(8) / burst.max(1))
        .burst_size(burst)
        .key_extractor(proxies)
        .finish()
        .ok_or_else(|| Failure::new("A burst is 8 requests at least."))?;
    let config = Arc::new(config);
    let watched = Arc::downgrade(&config);
    tokio::spawn(async move {
        while let Some(config) = watched.upgrade() {
            config.limiter().retain_recent();
            drop(config);
            tokio::time::sleep(FORGET_IDLE_CALLERS).await;
        }
    });
    Ok(router.route_layer(GovernorLayer::new(config).error_handler(error::too_many_requests)))
}

#[cfg(test)]
mod tests {
    use axum::http::{Request, StatusCode, header};
    use tower::ServiceExt;

    use super::*;

    #[tokio::test]
    async fn a_panic_is_a_problem_and_tells_nothing_of_itself() {
        let db = Database::connect("sqlite::memory:").await.expect("a database");
        let app = Arc::new(App::new(db, Clock::default(), None, None));
        let broken = Router::new().route("/", get(async || -> String { panic!("a secret of the inside") }));
        let request = Request::get("/").body(axum::body::Body::empty()).expect("a request");
        let answer = around(broken, app).oneshot(request).await.expect("an answer");
        assert_eq!(answer.status(), StatusCode::INTERNAL_SERVER_ERROR);
        assert_eq!(answer.headers()[header::CONTENT_TYPE], "application/problem+json");
        let body = axum::body::to_bytes(answer.into_body(), 10_000).await.expect("a body");
        let text = String::from_utf8_lossy(&body);
        assert!(text.contains("\"internal\"") && !text.contains("secret"), "{text}");
    }

    #[test]
    fn a_public_url_is_an_origin() {
        for (url, expected) in [
            ("https://Wallet.example", Some("https://wallet.example")),
            ("http://127.0.0.1:8080/", Some("http://127.0.0.1:8080")),
            ("https://wallet.example:443", Some("https://wallet.example")),
            ("http://wallet.example:80/", Some("http://wallet.example")),
            ("https://wallet.example:80", Some("https://wallet.example:80")),
            ("https://[2001:DB8::1]:8443", Some("https://[2001:db8::1]:8443")),
            ("https://wallet.example:99999", None),
            ("https://wallet.example:", None),
            ("wallet.example", None),
            ("ftp://wallet.example", None),
            ("https://wallet.example/shop", None),
            ("https://me@wallet.example", None),
        ] {
            assert_eq!(origin(url).ok().as_deref(), expected, "{url}");
        }
    }
}
