//! The HTTP client under the SDK: chooses proxy and trust for each request, and notes how it ended.

use std::collections::HashMap;
use std::error::Error as StdError;
use std::fmt;
use std::io;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::{Duration, Instant, SystemTime};

use aws_smithy_http_client::Connector;
use aws_smithy_http_client::proxy::ProxyConfig;
use aws_smithy_http_client::tls::rustls_provider::CryptoMode;
use aws_smithy_http_client::tls::{Provider, TlsContext};
use aws_smithy_runtime_api::box_error::BoxError;
use aws_smithy_runtime_api::client::http::{
    HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpConnector,
};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_types::DateTime;
use aws_smithy_types::body::SdkBody;
use aws_smithy_types::byte_stream::ByteStream;
use aws_smithy_types::date_time::Format;
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use zeroize::Zeroizing;

use crate::aws::journal::{Call, Distrust, FailedExchange, Journal, Outcome};
use crate::aws::origin::Origin;
use crate::aws::proxy::{Proxies, Proxy};
use crate::aws::{answer, sent, trust};
use crate::env::Env;
use crate::error::{Failure, Reason, one_line};
use crate::log::Log;
use crate::protocol::Credentials;

/// The client that every part of the SDK is given.
#[derive(Clone)]
pub struct Client(Arc<Inner>);

struct Inner {
    env: Env,
    proxies: Proxies,
    bundle: Option<TlsContext>,
    roots: OnceLock<Result<TlsContext, Failure>>,
    connectors: Mutex<HashMap<Route, SharedHttpConnector>>,
    journal: Journal,
    log: Log,
}

/// The program and its version, as the User-Agent has them.
pub const APP_NAME: &str = concat!(env!("CARGO_PKG_NAME"), "-", env!("CARGO_PKG_VERSION"));

/// The most that is read of an answer, in bytes. Real ones are a few thousand.
const BODY_LIMIT: usize = 1024 * 1024;

/// For an answer to [`Client::ask`].
const ASK_TIMEOUT: Duration = Duration::from_secs(10);

/// As much of an answer as a registry's is looked at.
pub struct Head {
    /// The HTTP status.
    pub status: u16,
    /// The WWW-Authenticate headers.
    pub challenges: Vec<String>,
    /// The Location header. May hold secrets: never shown as it is.
    pub location: Option<String>,
}

/// What two requests must have in common to share connections.
#[derive(PartialEq, Eq, Hash)]
struct Route {
    https: bool,
    proxy: Option<String>,
    connect_timeout: Option<Duration>,
    read_timeout: Option<Duration>,
}

impl Client {
    /// A client that trusts `bundle` alone, or, without one, what the environment or the system says. The latter is
    /// only looked up when the first TLS connection is made.
    pub fn new(env: &Env, proxies: Proxies, bundle: Option<TlsContext>, journal: Journal, log: Log) -> Self {
        Self(Arc::new(Inner {
            env: env.clone(),
            proxies,
            bundle,
            roots: OnceLock::new(),
            connectors: Mutex::default(),
            journal,
            log,
        }))
    }

    /// What a URL answers a user name and password with; none without an answer, and then the journal knows why.
    /// Redirects are not followed.
    pub async fn ask(&self, url: &str, credentials: &Credentials) -> Option<Head> {
        let mut request = HttpRequest::new(SdkBody::empty());
        request.set_uri(url).ok()?;
        let pair = format!("{}:{}", credentials.username, credentials.secret.expose());
        let pair = Zeroizing::new(BASE64_STANDARD.encode(Zeroizing::new(pair).as_bytes()));
        request
            .headers_mut()
            .insert("authorization", format!("Basic {}", pair.as_str()));
        self.0.journal.keep_secret(&pair);
        let connector = Noting {
            client: self.clone(),
            settings: HttpConnectorSettings::builder().build(),
        };
        let answer = tokio::time::timeout(ASK_TIMEOUT, connector.call(request)).await;
        let answer = answer.ok()?.ok()?;
        let challenges = answer.headers().get_all("www-authenticate");
        Some(Head {
            status: answer.status().as_u16(),
            challenges: challenges.map(str::to_owned).collect(),
            location: answer.headers().get("location").map(str::to_owned),
        })
    }

    fn connector(
        &self,
        origin: &Origin,
        proxy: Option<&Proxy>,
        settings: &HttpConnectorSettings,
    ) -> Result<SharedHttpConnector, Failure> {
        let route = Route {
            https: origin.is_https(),
            proxy: proxy.map(|proxy| proxy.url.clone()),
            connect_timeout: settings.connect_timeout(),
            read_timeout: settings.read_timeout(),
        };
        let mut connectors = self.0.connectors.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(connector) = connectors.get(&route) {
            return Ok(connector.clone());
        }
        let needs_tls = origin.is_https() || proxy.is_some_and(|proxy| proxy.url.starts_with("https"));
        let context = match needs_tls {
            true => self.trust()?,
            false => trust::no_roots(),
        };
        let mut builder = Connector::builder()
            .connector_settings(settings.clone())
            .tls_provider(Provider::rustls(CryptoMode::Ring))
            .tls_context(context);
        if let Some(proxy) = proxy {
            builder = builder.proxy_config(proxy_config(proxy)?);
        }
        let connector = SharedHttpConnector::new(builder.build());
        connectors.insert(route, connector.clone());
        Ok(connector)
    }

    /// The certificates that are trusted.
    ///
    /// # Errors
    ///
    /// A [`Failure`] that says where none were found.
    pub fn trust(&self) -> Result<TlsContext, Failure> {
        match &self.0.bundle {
            Some(bundle) => Ok(bundle.clone()),
            None => self
                .0
                .roots
                .get_or_init(|| {
                    self.0.journal.begin(trust::places(&self.0.env));
                    trust::default_roots(&self.0.env)
                })
                .clone(),
        }
    }

    /// Where a request goes, and the connector that takes it there.
    fn route(
        &self,
        uri: &str,
        settings: &HttpConnectorSettings,
    ) -> Result<(Origin, Option<String>, SharedHttpConnector), Failure> {
        let origin = Origin::parse(uri)
            .ok_or_else(|| Failure::new(Reason::Configuration, "an endpoint is no http or https URL", ""))?;
        let proxy = self.0.proxies.for_origin(&origin)?;
        let connector = self.connector(&origin, proxy, settings)?;
        let shown = proxy.map(|proxy| format!("{} ({})", proxy.shown(), proxy.variable));
        Ok((origin, shown, connector))
    }
}

fn proxy_config(proxy: &Proxy) -> Result<ProxyConfig, Failure> {
    ProxyConfig::all(proxy.url.as_str()).map_err(|_| {
        Failure::new(
            Reason::Configuration,
            format!("the proxy URL in {} is not valid", proxy.variable),
            "percent-encode special characters in its user name and password",
        )
    })
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Client")
    }
}

impl HttpClient for Client {
    fn http_connector(&self, settings: &HttpConnectorSettings, _: &RuntimeComponents) -> SharedHttpConnector {
        SharedHttpConnector::new(Noting {
            client: self.clone(),
            settings: settings.clone(),
        })
    }
}

/// Passes requests on, and notes how each ended.
#[derive(Debug)]
struct Noting {
    client: Client,
    settings: HttpConnectorSettings,
}

impl HttpConnector for Noting {
    fn call(&self, mut request: HttpRequest) -> HttpConnectorFuture {
        name_the_helper(&mut request);
        let (journal, log) = (self.client.0.journal.clone(), self.client.0.log.clone());
        let call = Call::of(request.uri());
        let (origin, proxy, connector) = match self.client.route(request.uri(), &self.settings) {
            Ok(route) => route,
            Err(failure) => {
                let error = io::Error::other(failure.to_string());
                if let Some(origin) = Origin::parse(request.uri()) {
                    journal.failed(FailedExchange {
                        origin,
                        call,
                        proxy: None,
                        outcome: Outcome::NotSent(failure),
                    });
                }
                return HttpConnectorFuture::ready(Err(ConnectorError::user(error.into())));
            }
        };
        let method = request.method().to_owned();
        for secret in sent::secrets(&request) {
            journal.keep_secret(&secret);
        }
        if let Some(token) = request.headers().get(sent::SSO_BEARER_TOKEN) {
            journal.uses_sso_token(token);
        }
        let through = match &proxy {
            Some(proxy) => format!(" through the proxy {proxy}"),
            None => String::new(),
        };
        journal.begin(format!("an answer from {origin}{through}"));
        // Holds until something else is noted: the SDK drops a request whose time is over.
        let exchange = FailedExchange {
            origin,
            call,
            proxy,
            outcome: Outcome::TimedOut,
        };
        journal.failed(exchange.clone());
        let origin = exchange.origin.clone();
        let started = Instant::now();
        let answer = connector.call(request);
        HttpConnectorFuture::new(async move {
            let result = noted(answer.await, exchange, &journal).await;
            log.info(|| {
                let millis = started.elapsed().as_millis();
                let end = match &result {
                    Ok(response) => response.status().as_u16().to_string(),
                    Err(error) => chain(error),
                };
                format!("{method} {origin}: {end} in {millis} ms")
            });
            result
        })
    }
}

/// The SDK puts the app name into the calls of ECR's client alone; the others are to name the helper too. The header
/// is not among those that are signed.
fn name_the_helper(request: &mut HttpRequest) {
    let headers = request.headers_mut();
    let agent = headers.get("user-agent").unwrap_or_default();
    if !agent.contains(APP_NAME) {
        let agent = format!("{agent} app/{APP_NAME}");
        headers.insert("user-agent", agent.trim_start().to_owned());
    }
}

/// Notes how a request ended. The body is read here, and put back: a connection may break, and a flood begin, behind
/// a good status.
async fn noted(
    result: Result<HttpResponse, ConnectorError>,
    exchange: FailedExchange,
    journal: &Journal,
) -> Result<HttpResponse, ConnectorError> {
    let call = exchange.call;
    let failed = |outcome| journal.failed(FailedExchange { outcome, ..exchange });
    let mut response = match result {
        Ok(response) => response,
        Err(error) => {
            let outcome = outcome_of(&error);
            let refused = matches!(outcome, Outcome::Untrusted(_));
            failed(outcome);
            // A certificate is no better the next time, and the SDK does not repeat what is the user's error.
            return Err(match refused {
                true => ConnectorError::user(error.into()),
                false => error,
            });
        }
    };
    if let Some(time) = response.headers().get("date").and_then(http_time) {
        journal.heard_time(time);
    }
    let success = response.status().is_success();
    let body = match whole(response.take_body()).await {
        Ok(body) => body,
        // A refusal is one without its words, too: some close the connection before they are read to the end.
        Err(_) if !success => Vec::new(),
        Err(error) => {
            failed(Outcome::Broken(innermost(error.as_ref())));
            return Err(ConnectorError::io(error));
        }
    };
    if success {
        journal.succeeded(call);
    } else {
        let header = response.headers().get("x-amzn-errortype");
        let mut answer = answer::read(response.status().as_u16(), header, &body);
        // Where a signature does not match, AWS quotes the request.
        let conceal = |text: String| journal.conceal(&text);
        answer.message = answer.message.map(conceal);
        answer.code = answer.code.map(conceal);
        failed(Outcome::Answer(answer));
    }
    *response.body_mut() = SdkBody::from(body);
    Ok(response)
}

/// The moment in a Date header.
fn http_time(text: &str) -> Option<SystemTime> {
    let time = DateTime::from_str(text, Format::HttpDate).ok()?;
    SystemTime::try_from(time).ok()
}

/// The whole of a body, up to a limit.
async fn whole(body: SdkBody) -> Result<Vec<u8>, BoxError> {
    let mut stream = ByteStream::new(body);
    let mut bytes = Vec::new();
    while let Some(chunk) = stream.next().await {
        bytes.extend_from_slice(&chunk?);
        if bytes.len() > BODY_LIMIT {
            return Err("the answer is larger than 1 MiB".into());
        }
    }
    Ok(bytes)
}

fn outcome_of(error: &ConnectorError) -> Outcome {
    let mut source: Option<&(dyn StdError + 'static)> = Some(error);
    while let Some(error) = source {
        if let Some(tls) = error.downcast_ref::<rustls::Error>() {
            return tls_outcome(tls);
        }
        source = below(error);
    }
    match error.is_timeout() {
        true => Outcome::TimedOut,
        false => Outcome::Broken(innermost(error)),
    }
}

fn tls_outcome(error: &rustls::Error) -> Outcome {
    use rustls::CertificateError as Bad;
    match error {
        rustls::Error::InvalidCertificate(why) => Outcome::Untrusted(match why {
            // The latter is a CA of the same name with another key.
            Bad::UnknownIssuer | Bad::BadSignature => Distrust::Issuer,
            Bad::NotValidForName | Bad::NotValidForNameContext { .. } => Distrust::Name,
            Bad::Expired | Bad::ExpiredContext { .. } => Distrust::Time,
            Bad::NotValidYet | Bad::NotValidYetContext { .. } => Distrust::Time,
            other => Distrust::Other(one_line(&other.to_string())),
        }),
        rustls::Error::InvalidMessage(_) => Outcome::Broken("it does not speak TLS".to_owned()),
        other => Outcome::Broken(format!("TLS: {}", one_line(&other.to_string()))),
    }
}

/// The error that caused this one. An `io::Error` is asked for what it wraps, since its `source` leaves that out.
fn below<'a>(error: &'a (dyn StdError + 'static)) -> Option<&'a (dyn StdError + 'static)> {
    match error.downcast_ref::<io::Error>().map(io::Error::get_ref) {
        Some(Some(inner)) => Some(inner),
        _ => error.source(),
    }
}

/// What the whole thing comes down to, without what is wrapped around it.
fn innermost(error: &(dyn StdError + 'static)) -> String {
    let mut error = error;
    while let Some(next) = below(error) {
        error = next;
    }
    let text = one_line(&error.to_string());
    match text.as_str() {
        "tunnel error: unsuccessful" => "the proxy refused".to_owned(),
        "tunnel error: proxy authorization required" => "the proxy wants a user name and password".to_owned(),
        _ => text.split(" (os error").next().unwrap_or_default().to_owned(),
    }
}

/// An error and all that caused it, on one line, with no more of a URL than its origin.
pub(crate) fn chain(error: &(dyn StdError + 'static)) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(error) = source {
        let part = error.to_string();
        if !text.ends_with(&part) {
            text = format!("{text}: {part}");
        }
        source = error.source();
    }
    let origins_only = |word: &str| match word.contains("://") {
        true => Origin::parse(word).map_or_else(|| "[URL]".to_owned(), |origin| origin.to_string()),
        false => word.to_owned(),
    };
    let words: Vec<_> = text.split_whitespace().map(origins_only).collect();
    one_line(&words.join(" "))
}
