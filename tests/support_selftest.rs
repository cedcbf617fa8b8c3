//! The fake AWS tested by itself, with nothing but sockets and a rustls client: that each
//! protocol answers in its form, that faults come when asked for, that TLS and CONNECT work.

// clippy.toml lets off functions marked #[test], not the helpers between them.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::as_conversions)]

mod support;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};
use serde_json::{Value, json};
use std::io::{Read, Write};
use std::net::TcpStream;
use std::process::Command;
use std::sync::Arc;
use std::time::{Duration, Instant};
use support::{FakeAws, HangingServer, IMDS_ROLE, Reply, Running, TlsProxy, TlsServer, decode_password, refused_url};

const ECR: &str = "ecr:GetAuthorizationToken";
const SIGNED: &str = "X-Amz-Target: AmazonEC2ContainerRegistry_V20150921.GetAuthorizationToken\r\n\
    Authorization: AWS4-HMAC-SHA256 Credential=AKIATEST/20250101/eu-west-1/ecr/aws4_request, \
    SignedHeaders=host, Signature=00\r\n";

fn connect(url: &str) -> TcpStream {
    let (_, address) = url.split_once("://").unwrap();
    let stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
    stream
}

/// One request and its answer on an open connection: status, headers, body.
fn exchange(
    stream: &mut (impl Read + Write),
    start: &str,
    headers: &str,
    body: &str,
) -> std::io::Result<(u16, String, String)> {
    let length = body.len();
    let request = format!("{start} HTTP/1.1\r\nHost: h\r\n{headers}Content-Length: {length}\r\n\r\n{body}");
    stream.write_all(request.as_bytes())?;
    answer(stream)
}

fn answer(stream: &mut impl Read) -> std::io::Result<(u16, String, String)> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        let mut byte = [0];
        stream.read_exact(&mut byte)?;
        head.push(byte[0]);
    }
    let head = String::from_utf8(head).unwrap().to_lowercase();
    let length = head
        .split("content-length: ")
        .nth(1)
        .map_or("0", |rest| rest.lines().next().unwrap());
    let mut body = vec![0; length.parse().unwrap()];
    stream.read_exact(&mut body)?;
    Ok((head[9..12].parse().unwrap(), head, String::from_utf8(body).unwrap()))
}

fn call(fake: &FakeAws, start: &str, headers: &str, body: &str) -> (u16, String, String) {
    exchange(&mut connect(&fake.url()), start, headers, body).unwrap()
}

fn call_json(fake: &FakeAws, start: &str, headers: &str, body: &str) -> Value {
    let (status, _, body) = call(fake, start, headers, body);
    assert_eq!(status, 200, "{body}");
    serde_json::from_str(&body).unwrap()
}

fn password_of(data: &Value) -> String {
    let token = data["authorizationToken"].as_str().unwrap();
    let plain = String::from_utf8(STANDARD.decode(token).unwrap()).unwrap();
    plain.strip_prefix("AWS:").unwrap().to_owned()
}

#[test]
fn ecr_passwords_say_for_whom_and_when() {
    let fake = FakeAws::start();
    let mut stream = connect(&fake.url());
    let mut serials = Vec::new();
    for _ in 0..2 {
        let (_, _, body) = exchange(&mut stream, "POST /", SIGNED, "{}").unwrap();
        let answer: Value = serde_json::from_str(&body).unwrap();
        let data = &answer["authorizationData"][0];
        let info = decode_password(&password_of(data));
        assert_eq!((&*info.access_key_id, &*info.region), ("AKIATEST", "eu-west-1"));
        assert!((data["expiresAt"].as_f64().unwrap() - info.expiration as f64).abs() < 2.0);
        serials.push(info.serial);
    }
    assert_eq!(serials, [1, 2]);
    let public = "X-Amz-Target: SpencerFrontendService.GetAuthorizationToken\r\n";
    let answer = call_json(&fake, "POST /", public, "{}");
    assert_eq!(decode_password(&password_of(&answer["authorizationData"])).serial, 3);

    assert_eq!((fake.count(ECR), fake.total()), (2, 3));
    let first = &fake.requests()[0];
    assert_eq!(first.region.as_deref(), Some("eu-west-1"));
    assert!(!first.over_tls && !first.absolute_form && first.connect_target.is_none());
    fake.clear();
    assert_eq!(fake.total(), 0);
}

#[test]
fn sts_answers_in_xml_with_keys_that_differ_by_input() {
    let fake = FakeAws::start();
    let ask = |action: &str, session: &str| {
        let body = format!("Action={action}&RoleArn=arn:aws:iam::1:role/r&RoleSessionName={session}");
        call(&fake, "POST /", "", &body).2
    };
    let (a, b) = (ask("AssumeRole", "a"), ask("AssumeRole", "b"));
    assert!(a.contains("<Arn>arn:aws:sts::1:assumed-role/r/a</Arn>"), "{a}");
    let issued: Vec<_> = fake
        .requests_to("sts:AssumeRole")
        .iter()
        .map(|r| r.issued_access_key_id().unwrap())
        .collect();
    assert!(a.contains(&issued[0]) && b.contains(&issued[1]) && issued[0] != issued[1]);
    let web = ask("AssumeRoleWithWebIdentity", "a");
    assert!(
        web.starts_with("<AssumeRoleWithWebIdentityResponse xmlns=\"https://sts."),
        "{web}"
    );
}

#[test]
fn sso_and_signin_answer_in_json() {
    let fake = FakeAws::start();
    let bearer = "x-amz-sso_bearer_token: t\r\n";
    let path = "GET /federation/credentials?account_id=1&role_name=r";
    let role = &call_json(&fake, path, bearer, "")["roleCredentials"];
    assert!(role["expiration"].as_i64().unwrap() > 1_700_000_000_000);
    let issued = fake.requests()[0].issued_access_key_id();
    assert_eq!(role["accessKeyId"].as_str(), issued.as_deref());

    let body = json!({"grantType": "refresh_token", "refreshToken": "r"}).to_string();
    let token = call_json(&fake, "POST /token", "", &body);
    assert!(token["accessToken"].is_string() && token["expiresIn"] == 3600);
    let token = call_json(&fake, "POST /v1/token", "", &body);
    assert!(token["accessToken"]["sessionToken"].is_string() && token["tokenType"] == "aws_sigv4");
    assert_eq!(
        (
            fake.count("sso-oidc:CreateToken"),
            fake.count("signin:CreateOAuth2Token")
        ),
        (1, 1)
    );
}

#[test]
fn instance_and_container_credentials_want_what_aws_wants() {
    let fake = FakeAws::start();
    let roles = "GET /latest/meta-data/iam/security-credentials/";
    assert_eq!(call(&fake, "PUT /latest/api/token", "", "").0, 400);
    assert_eq!(call(&fake, roles, "", "").0, 401);
    let ttl = "x-aws-ec2-metadata-token-ttl-seconds: 60\r\n";
    let (_, head, token) = call(&fake, "PUT /latest/api/token", ttl, "");
    assert!(head.contains("x-aws-ec2-metadata-token-ttl-seconds: 60"), "{head}");
    let token = format!("x-aws-ec2-metadata-token: {token}\r\n");
    assert_eq!(call(&fake, roles, &token, "").2, IMDS_ROLE);
    let instance = call_json(&fake, &format!("{roles}{IMDS_ROLE}"), &token, "");
    let container = call_json(&fake, "GET /container-credentials/x", "Authorization: me\r\n", "");
    assert_ne!(instance["AccessKeyId"], container["AccessKeyId"]);
    assert!(container["Expiration"].as_str().unwrap().ends_with('Z'));
    let last = fake.requests_to("container:credentials").pop().unwrap();
    assert_eq!(last.header("authorization"), Some("me"));
}

#[test]
fn faults_come_queued_first_then_sticky_and_in_the_protocol_of_the_operation() {
    let fake = FakeAws::start();
    fake.on(ECR, Reply::aws_error(400, "ServerException", "sticky"));
    fake.next(ECR, Reply::token_expires_in(-5))
        .next(ECR, Reply::password("mine"));
    let expired = call_json(&fake, "POST /", SIGNED, "{}")["authorizationData"][0].clone();
    let info = decode_password(&password_of(&expired));
    assert!(info.expiration as f64 <= expired["expiresAt"].as_f64().unwrap());
    let mine = call_json(&fake, "POST /", SIGNED, "{}");
    assert_eq!(password_of(&mine["authorizationData"][0]), "mine");
    let (status, _, body) = call(&fake, "POST /", SIGNED, "{}");
    assert_eq!(
        (status, &*body),
        (400, r#"{"__type":"ServerException","message":"sticky"}"#)
    );

    fake.on("sts:AssumeRole", Reply::aws_error(403, "AccessDenied", "a < b"));
    let (_, _, body) = call(&fake, "POST /", "", "Action=AssumeRole");
    assert!(
        body.contains("<Code>AccessDenied</Code><Message>a &lt; b</Message>"),
        "{body}"
    );

    let expired = Reply::aws_error(400, "AccessDeniedException", "no").oauth_error("TOKEN_EXPIRED");
    fake.on("signin:CreateOAuth2Token", expired.header("x-test", "yes"));
    let (_, head, body) = call(&fake, "POST /v1/token", "", "{}");
    assert!(
        head.contains("x-amzn-errortype: accessdenied") && head.contains("x-test: yes"),
        "{head}"
    );
    assert_eq!(serde_json::from_str::<Value>(&body).unwrap()["error"], "TOKEN_EXPIRED");
}

#[test]
fn it_can_be_late_hang_or_hang_up() {
    let fake = FakeAws::start();
    let start = Instant::now();
    fake.next(ECR, Reply::normal().after(Duration::from_millis(80)));
    assert_eq!(call(&fake, "POST /", SIGNED, "{}").0, 200);
    assert!(start.elapsed() >= Duration::from_millis(80));

    fake.next(ECR, Reply::close());
    assert!(exchange(&mut connect(&fake.url()), "POST /", SIGNED, "{}").is_err());

    fake.on(ECR, Reply::hang());
    let mut stream = connect(&fake.url());
    stream.set_read_timeout(Some(Duration::from_millis(80))).unwrap();
    let timed_out = exchange(&mut stream, "POST /", SIGNED, "{}").unwrap_err();
    assert_eq!(timed_out.kind(), std::io::ErrorKind::WouldBlock);
    drop(fake);
    assert_eq!(stream.read(&mut [0]).unwrap(), 0, "stopping ends what hangs");
}

#[test]
fn chunked_requests_are_read() {
    let fake = FakeAws::start();
    let mut stream = connect(&fake.url());
    let head = "POST /token HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n";
    write!(stream, "{head}3\r\n{{\"a\r\n4;x=y\r\n\":1}}\r\n0\r\n\r\n").unwrap();
    assert_eq!(answer(&mut stream).unwrap().0, 200);
    assert_eq!(fake.requests()[0].json(), json!({"a": 1}));
}

fn over_tls(stream: TcpStream, ca_pem: &str, name: &str) -> impl Read + Write + use<> {
    let mut roots = RootCertStore::empty();
    roots
        .add(CertificateDer::from_pem_slice(ca_pem.as_bytes()).unwrap())
        .unwrap();
    let ring = Arc::new(rustls::crypto::ring::default_provider());
    let config = ClientConfig::builder_with_provider(ring).with_safe_default_protocol_versions();
    let config = config.unwrap().with_root_certificates(roots).with_no_client_auth();
    let name = ServerName::try_from(name.to_owned()).unwrap();
    StreamOwned::new(ClientConnection::new(Arc::new(config), name).unwrap(), stream)
}

#[test]
fn the_proxy_ends_tls_for_any_host_and_can_ask_who_it_is() {
    let fake = FakeAws::start();
    let proxy = TlsProxy::start(&fake);
    let host = "api.ecr.eu-west-1.amazonaws.com";
    let target = format!("{host}:443");
    proxy.require_auth("user", "pass");
    let mut stream = connect(&proxy.url());
    assert_eq!(
        exchange(&mut stream, &format!("CONNECT {target}"), "", "").unwrap().0,
        407
    );
    let who = "Proxy-Authorization: Basic dXNlcjpwYXNz\r\n";
    assert_eq!(
        exchange(&mut stream, &format!("CONNECT {target}"), who, "").unwrap().0,
        200
    );
    let mut tls = over_tls(stream, proxy.ca_pem(), host);
    for _ in 0..2 {
        assert_eq!(exchange(&mut tls, "POST /", SIGNED, "{}").unwrap().0, 200);
    }
    assert!(fake.requests()[1].over_tls);
    assert_eq!(fake.requests()[1].connect_target.as_deref(), Some(&*target));
    assert_eq!(proxy.connects(), [target.clone(), target]);
    assert_eq!(proxy.proxy_authorizations(), ["Basic dXNlcjpwYXNz"]);

    let mut plain = connect(&proxy.url());
    let start = "GET http://169.254.170.2/container-credentials/x?y=z";
    assert_eq!(exchange(&mut plain, start, who, "").unwrap().0, 200);
    let last = fake.requests().pop().unwrap();
    assert!(last.absolute_form && !last.over_tls);
    assert_eq!(last.path, "/container-credentials/x?y=z");
}

#[test]
fn the_tls_server_is_who_it_says_under_each_name() {
    let fake = FakeAws::start();
    let server = TlsServer::start(&fake, &["ecr.example"]);
    for name in ["localhost", "127.0.0.1", "ecr.example"] {
        let stream = connect(&server.url().replace("localhost", "127.0.0.1"));
        let mut tls = over_tls(stream, server.ca_pem(), name);
        assert_eq!(exchange(&mut tls, "POST /", SIGNED, "{}").unwrap().0, 200);
    }
    let stream = connect(&server.url().replace("localhost", "127.0.0.1"));
    let mut tls = over_tls(stream, TlsProxy::start(&fake).ca_pem(), "localhost");
    assert!(
        exchange(&mut tls, "POST /", SIGNED, "{}").is_err(),
        "another CA is not trusted"
    );
    assert_eq!((fake.count(ECR), fake.requests()[0].over_tls), (3, true));
}

#[test]
fn dead_ends_are_dead() {
    let hanging = HangingServer::start();
    let mut stream = connect(&hanging.url());
    stream.set_read_timeout(Some(Duration::from_millis(50))).unwrap();
    assert!(exchange(&mut stream, "GET /", "", "").is_err());
    assert!(refused_url().starts_with("http://127.0.0.1:"));
}

#[test]
fn a_run_gives_what_the_program_wrote_and_how_it_ended() {
    let shell = |script: &str| {
        let mut command = Command::new("sh");
        command.args(["-c", script]);
        command
    };
    let limit = Duration::from_secs(10);
    let output = Running::start(shell("cat; echo no >&2; exit 3"), "in", limit).wait();
    assert_eq!((output.code, &*output.stdout, &*output.stderr), (Some(3), "in", "no\n"));
    let output = Running::start(shell("kill -9 $$"), vec![0; 1 << 20], limit).wait();
    assert_eq!((output.code, output.signal), (None, Some(9)));
    let start = Instant::now();
    let hung = Running::start(shell("exec sleep 30"), "", Duration::from_millis(100));
    assert!(
        std::thread::spawn(|| hung.wait()).join().is_err(),
        "a hang fails the test"
    );
    assert!(start.elapsed() < limit);
}
