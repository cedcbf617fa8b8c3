//! The fake AWS in a process of its own: this program again, with the verb `serve`. So nothing but a sleeping server is
//! beside a run that makes no request, and the measuring process stays small.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::Result;
use crate::support::{FakeAws, Reply, TlsServer};

pub const VERB: &str = "serve";

/// A call for a token that is signed with this key is answered after [`DELAY`].
pub const SLOW_KEY_ID: &str = "AKIAFAKESLOW00000000";
pub const DELAY: Duration = Duration::from_millis(500);

/// The child's one line on stdout.
#[derive(Deserialize, Serialize)]
struct Addresses {
    http: String,
    https: String,
    ca: String,
}

/// Answers until stdin ends, which it does with the process that started this one, however that ends.
pub fn serve() -> Result<()> {
    let fake = FakeAws::start();
    fake.on_key(SLOW_KEY_ID, Reply::normal().after(DELAY));
    let tls = TlsServer::start(&fake, &[]);
    let addresses = Addresses {
        http: fake.url(),
        https: tls.url(),
        ca: tls.ca_pem().to_owned(),
    };
    println!("{}", serde_json::to_string(&addresses)?);
    io::copy(&mut io::stdin(), &mut io::sink())?;
    Ok(())
}

pub struct Server {
    process: Child,
    stdin: Option<ChildStdin>,
    addresses: Addresses,
}

/// A request as the fake lists it.
#[derive(Debug, Deserialize)]
pub struct Request {
    pub operation: String,
}

impl Server {
    pub fn start() -> Result<Self> {
        let mut process = Command::new(std::env::current_exe()?)
            .arg(VERB)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()?;
        let stdin = process.stdin.take();
        let stdout = process.stdout.take().ok_or("the server has no stdout")?;
        let mut line = String::new();
        BufReader::new(stdout).read_line(&mut line)?;
        let addresses = serde_json::from_str(&line).map_err(|why| format!("the fake AWS did not start: {why}"))?;
        Ok(Self {
            process,
            stdin,
            addresses,
        })
    }

    /// `http://127.0.0.1:PORT`
    pub fn http(&self) -> &str {
        &self.addresses.http
    }

    /// `https://localhost:PORT`
    pub fn https(&self) -> &str {
        &self.addresses.https
    }

    /// The certificate, in PEM, that vouches for `https`.
    pub fn ca(&self) -> &str {
        &self.addresses.ca
    }

    /// Every request so far, in the order they came.
    pub fn requests(&self) -> Result<Vec<Request>> {
        let address = self.http().trim_start_matches("http://");
        let mut stream = TcpStream::connect(address)?;
        write!(
            stream,
            "GET /fake/requests HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n"
        )?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer)?;
        let (_, body) = answer
            .split_once("\r\n\r\n")
            .ok_or("the fake AWS does not speak HTTP")?;
        Ok(serde_json::from_str(body)?)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        drop(self.stdin.take());
        self.process.wait().ok();
    }
}
