//! As little of a mail server as takes what the API sends.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;
use tokio::time::{Duration, timeout};

/// A mail server, and what it was given.
pub struct Inbox {
    pub url: String,
    mails: mpsc::UnboundedReceiver<Mail>,
}

/// A mail as it came.
pub struct Mail {
    /// `MAIL FROM:` and `RCPT TO:`, then its headers and its body.
    pub lines: Vec<String>,
}

impl Inbox {
    pub async fn open() -> Self {
        let server = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("smtp://{}", server.local_addr().unwrap());
        let (given, mails) = mpsc::unbounded_channel();
        tokio::spawn(async move {
            loop {
                let (connection, _) = server.accept().await.unwrap();
                tokio::spawn(receive(connection, given.clone()));
            }
        });
        Self { url, mails }
    }

    /// The next mail, whoever it is for.
    pub async fn next(&mut self) -> Mail {
        let next = timeout(Duration::from_secs(20), self.mails.recv()).await;
        next.expect("a mail").unwrap()
    }
}

impl Mail {
    /// For whom it is.
    pub fn to(&self) -> &str {
        let line = self.lines.iter().find_map(|line| line.strip_prefix("RCPT TO:<"));
        line.unwrap().split('>').next().unwrap()
    }

    /// Its text, which travels as base64 or quoted-printable, or as it is.
    pub fn text(&self) -> String {
        let (headers, body) = self
            .lines
            .split_at(self.lines.iter().position(String::is_empty).unwrap());
        let encoding = headers
            .iter()
            .find_map(|line| line.strip_prefix("Content-Transfer-Encoding: "));
        let text = match encoding.unwrap_or_default() {
            "base64" => {
                let encoded: String = body.iter().map(|line| line.trim()).collect();
                String::from_utf8(STANDARD.decode(encoded).unwrap()).unwrap()
            }
            "quoted-printable" => {
                let text = body.join("\n").replace("=\n", "");
                assert!(!text.contains("=E"), "only line breaks are quoted here: {text}");
                text
            }
            _ => body.join("\n"),
        };
        text.replace('\r', "")
    }

    /// The code in it.
    pub fn code(&self) -> String {
        let text = self.text();
        let code = text.lines().find(|line| line.len() == 6 && line.parse::<u32>().is_ok());
        code.expect("a code").to_owned()
    }
}

async fn receive(connection: TcpStream, given: mpsc::UnboundedSender<Mail>) -> std::io::Result<()> {
    let (reader, mut writer) = connection.into_split();
    let mut lines = BufReader::new(reader).lines();
    let (mut mail, mut is_data) = (vec![], false);
    writer.write_all(b"220 mail.example\r\n").await?;
    while let Some(line) = lines.next_line().await? {
        let answer = match line.split(' ').next().unwrap_or_default() {
            "." if is_data => {
                is_data = false;
                let lines = std::mem::take(&mut mail);
                let _ = given.send(Mail { lines });
                "250 taken"
            }
            _ if is_data => {
                mail.push(line);
                continue;
            }
            "MAIL" | "RCPT" => {
                mail.push(line);
                "250 good"
            }
            "DATA" => {
                is_data = true;
                "354 go on"
            }
            "QUIT" => "221 bye",
            _ => "250 mail.example",
        };
        writer.write_all(format!("{answer}\r\n").as_bytes()).await?;
    }
    Ok(())
}
