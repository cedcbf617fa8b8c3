//! A deadline on the whole call, also where a file, a program, an API or a metadata service hangs;
//! and an answer in under three seconds where there are no credentials at all.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)]

mod netns;
mod support;

use serde_json::json;
use std::fs;
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};
use support::{FakeAws, HangingServer, Output, Reply, Sandbox, TlsServer, decode_password};

const ECR: &str = "ecr:GetAuthorizationToken";
const HOST: &str = "123456789012.dkr.ecr.us-east-1.amazonaws.com";
const SECOND: Duration = Duration::from_secs(1);

/// How much later than its deadline a run may end: two cores are shared by all tests.
const SLACK: Duration = Duration::from_millis(1200);

fn ready(fake: &FakeAws) -> Sandbox {
    let mut sandbox = Sandbox::new();
    sandbox.use_static_keys().point_at(fake);
    sandbox.env("AWS_ECR_TIMEOUT", "1");
    sandbox
}

/// A sandbox without keys, whose deadline is a second.
fn hurried() -> Sandbox {
    let mut sandbox = Sandbox::new();
    sandbox.env("AWS_ECR_TIMEOUT", "1");
    sandbox
}

/// A pipe that nobody ever writes to.
fn pipe(path: &Path) -> PathBuf {
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    assert!(Command::new("mkfifo").arg(path).status().unwrap().success());
    path.to_owned()
}

/// Checks for the one line on stderr that belongs to a failed get, and gives it.
#[track_caller]
fn line(output: &Output) -> &str {
    output.assert_not_found();
    let line = output.stderr.strip_suffix('\n').unwrap_or_default();
    assert_eq!(line.lines().count(), 1, "{output}");
    assert!(line.len() < 500 && line.contains(HOST), "{output}");
    line
}

/// Checks that a run came to its deadline of `limit`, and says what it waited for.
#[track_caller]
fn assert_gave_up(output: &Output, limit: Duration, waited_for: &str) {
    assert!(output.elapsed > limit / 2, "{output}");
    assert!(output.elapsed < limit + SLACK, "{output}");
    let line = line(output);
    assert!(line.contains("waiting for"), "{output}");
    assert!(line.contains(waited_for), "{waited_for:?} is missing: {output}");
    assert!(line.contains("AWS_ECR_TIMEOUT"), "no advice: {output}");
}

/// Runs a get in each sandbox, all at the same time since they do nothing but wait.
fn get_in_each(sandboxes: &[Sandbox]) -> Vec<Output> {
    let running: Vec<_> = sandboxes.iter().map(|s| s.spawn("get", HOST)).collect();
    running.into_iter().map(|run| run.wait()).collect()
}

/// Checks that a get in each sandbox comes to its deadline of a second, and what each waited for.
#[track_caller]
fn assert_each_gives_up<S: AsRef<str>>(cases: impl IntoIterator<Item = (Sandbox, S)>) {
    let (sandboxes, words): (Vec<_>, Vec<_>) = cases.into_iter().unzip();
    for (output, waited_for) in get_in_each(&sandboxes).iter().zip(words) {
        assert_gave_up(output, SECOND, waited_for.as_ref());
    }
}

#[test]
fn an_api_that_never_answers_is_waited_for_until_the_deadline() {
    let fake = FakeAws::start();
    fake.on(ECR, Reply::hang());
    let timeouts = ["1", "1.5", "2"];
    let sandboxes = timeouts.map(|timeout| {
        let mut sandbox = ready(&fake);
        sandbox.env("AWS_ECR_TIMEOUT", timeout);
        sandbox
    });
    for (output, timeout) in get_in_each(&sandboxes).iter().zip(timeouts) {
        let limit = Duration::from_secs_f64(timeout.parse().unwrap());
        assert_gave_up(output, limit, &fake.url());
    }
}

#[test]
fn a_deadline_names_the_profile() {
    let hanging = HangingServer::start();
    let mut sandbox = hurried();
    sandbox
        .env("AWS_ENDPOINT_URL", hanging.url())
        .env("AWS_PROFILE", "team-a-prod")
        .aws_config("[profile team-a-prod]\naws_access_key_id = A\naws_secret_access_key = s\n");
    assert_gave_up(&sandbox.get(HOST), SECOND, "team-a-prod");
}

#[test]
fn endpoints_that_take_connections_and_say_nothing_end_at_the_deadline() {
    let hanging = HangingServer::start();
    let urls = [hanging.url(), hanging.url().replace("http", "https")];
    assert_each_gives_up(urls.map(|url| {
        let mut sandbox = hurried();
        sandbox.use_static_keys().env("AWS_ENDPOINT_URL", &url);
        (sandbox, url)
    }));
}

#[test]
fn a_proxy_that_says_nothing_ends_at_the_deadline() {
    let hanging = HangingServer::start();
    let mut sandbox = hurried();
    let url = hanging.url().replace("http://", "http://u:hunter2@");
    sandbox.use_static_keys().env("HTTPS_PROXY", url);
    let output = sandbox.get(HOST);
    assert_gave_up(&output, SECOND, "https://api.ecr.us-east-1.amazonaws.com");
    assert!(!format!("{output}").contains("hunter2"), "{output}");
}

#[test]
fn a_role_sso_or_web_identity_that_hangs_ends_at_the_deadline() {
    let fake = FakeAws::start();
    for operation in [
        "sts:AssumeRole",
        "sts:AssumeRoleWithWebIdentity",
        "container:credentials",
    ] {
        fake.on(operation, Reply::hang());
    }
    let role = hurried();
    role.aws_config(
        "[default]\nrole_arn = arn:aws:iam::1:role/r\nsource_profile = base\n\
         [profile base]\naws_access_key_id = A\naws_secret_access_key = s\n",
    );
    let mut web = hurried();
    let token = web.write("token", "web-identity-token");
    web.env("AWS_WEB_IDENTITY_TOKEN_FILE", token)
        .env("AWS_ROLE_ARN", "arn:aws:iam::1:role/r");
    let mut container = hurried();
    let url = format!("{}/container-credentials/x", fake.url());
    container.env("AWS_CONTAINER_CREDENTIALS_FULL_URI", url);
    assert_each_gives_up([role, web, container].map(|mut sandbox| {
        sandbox.point_at(&fake);
        (sandbox, fake.url())
    }));
    assert_eq!(fake.count(ECR), 0);
}

#[test]
fn an_aws_file_that_is_a_pipe_nobody_writes_to_ends_at_the_deadline() {
    let mut cases = [".aws/config", ".aws/credentials", "elsewhere"].map(|file| {
        let sandbox = hurried();
        pipe(&sandbox.home().join(file));
        (sandbox, "AWS config")
    });
    let elsewhere = cases[2].0.home().join("elsewhere");
    cases[2].0.env("AWS_CONFIG_FILE", elsewhere);
    assert_each_gives_up(cases);
}

#[test]
fn a_pipe_as_aws_config_holds_up_nobody_with_keys_beyond_the_deadline() {
    let fake = FakeAws::start();
    let sandbox = ready(&fake);
    pipe(&sandbox.home().join(".aws/config"));
    let output = sandbox.get(HOST);
    assert!(output.elapsed < SECOND + SLACK, "{output}");
    assert!(sandbox.run("list", "unused").elapsed < SECOND);
}

#[test]
fn a_config_that_comes_through_a_pipe_is_read_once_and_used() {
    let fake = FakeAws::start();
    let mut sandbox = Sandbox::new();
    let config = pipe(&sandbox.home().join("config"));
    sandbox.point_at(&fake).env("AWS_CONFIG_FILE", &config);
    for key in ["AKIAFIRST", "AKIASECOND"] {
        let text = format!("[default]\naws_access_key_id = {key}\naws_secret_access_key = s\n");
        let path = config.clone();
        let writer = std::thread::spawn(move || fs::write(path, text).unwrap());
        let token = decode_password(&sandbox.get(HOST).password());
        assert_eq!(token.access_key_id, key, "nothing of a pipe is cached");
        writer.join().unwrap();
    }
}

#[test]
fn a_token_file_that_is_a_pipe_ends_at_the_deadline() {
    let fake = FakeAws::start();
    let url = format!("{}/container-credentials/x", fake.url());
    let with_token = |settings: &[(&str, &str)]| {
        let mut sandbox = hurried();
        pipe(&sandbox.home().join("token"));
        sandbox.point_at(&fake);
        for (name, value) in settings {
            sandbox.env(name, *value);
        }
        sandbox
    };
    let token = |sandbox: &Sandbox| sandbox.home().join("token");
    let mut web = with_token(&[("AWS_ROLE_ARN", "arn:aws:iam::1:role/r")]);
    web.env("AWS_WEB_IDENTITY_TOKEN_FILE", token(&web));
    let mut container = with_token(&[("AWS_CONTAINER_CREDENTIALS_FULL_URI", &url)]);
    container.env("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE", token(&container));
    let profile = with_token(&[("AWS_PROFILE", "pod")]);
    profile.aws_config(&format!(
        "[profile pod]\nrole_arn = arn:aws:iam::1:role/r\nweb_identity_token_file = {}\n",
        token(&profile).display()
    ));
    let words = ["token", "container", "\"pod\""];
    assert_each_gives_up([web, container, profile].into_iter().zip(words));
    assert_eq!(fake.total(), 0);
}

#[test]
fn an_sso_token_that_is_a_pipe_ends_at_the_deadline() {
    let mut sandbox = hurried();
    sandbox.env("AWS_PROFILE", "sso").aws_config(
        "[profile sso]\nsso_session = corp\nsso_account_id = 1\nsso_role_name = r\n\
         [sso-session corp]\nsso_start_url = https://corp.example/start\nsso_region = us-east-1\n",
    );
    // Named by the SHA-1 of `corp`.
    let name = "ee0bfd2552fbd840c02cc48b6e823320543c450f.json";
    pipe(&sandbox.home().join(".aws/sso/cache").join(name));
    assert_gave_up(&sandbox.get(HOST), SECOND, "\"sso\"");
}

#[test]
fn a_ca_bundle_that_is_a_pipe_ends_at_the_deadline() {
    let fake = FakeAws::start();
    let server = TlsServer::start(&fake, &[]);
    let bundles = [("AWS_CA_BUNDLE", "CA bundle"), ("SSL_CERT_FILE", "certificates")];
    assert_each_gives_up(bundles.map(|(variable, waited_for)| {
        let mut sandbox = ready(&fake);
        let bundle = pipe(&sandbox.home().join("bundle.pem"));
        sandbox.env("AWS_ENDPOINT_URL", server.url()).env(variable, bundle);
        (sandbox, waited_for)
    }));
    assert_eq!(fake.total(), 0);
}

#[test]
fn pipes_in_the_cache_are_not_waited_for() {
    let fake = FakeAws::start();
    let mut sandbox = ready(&fake);
    sandbox.unset("AWS_ECR_TIMEOUT").env("AWS_ECR_LOG", "debug");
    sandbox.get(HOST).password();
    let login = json!({"ServerURL": HOST, "Username": "AWS", "Secret": "s"}).to_string();
    assert_eq!(sandbox.run("store", login).code, Some(0));
    let names: Vec<_> = fs::read_dir(sandbox.cache_dir())
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    assert_eq!(names.len(), 3, "{names:?}");
    for path in names {
        fs::remove_file(&path).unwrap();
        pipe(&path);
        let lock = path.with_extension("lock");
        if !lock.exists() {
            pipe(&lock);
        }
    }
    for verb in ["list", "get", "get", "erase"] {
        let output = sandbox.run(verb, HOST);
        assert_eq!(output.code, Some(0), "{verb} {output}");
        assert!(output.elapsed < 3 * SECOND, "{verb} {output}");
    }
    assert_eq!(fake.count(ECR), 2, "after one miss it hits again");
}

#[test]
fn a_pipe_as_cache_directory_is_no_cache_and_not_waited_for() {
    let fake = FakeAws::start();
    let mut sandbox = ready(&fake);
    let cache = pipe(&sandbox.home().join("cache"));
    sandbox.env("AWS_ECR_CACHE_DIR", cache);
    for _ in 0..2 {
        let output = sandbox.get(HOST);
        output.password();
        assert!(output.elapsed < SECOND, "{output}");
    }
    assert_eq!(fake.count(ECR), 2);
}

#[test]
fn files_without_an_end_are_not_read_to_it() {
    let fake = FakeAws::start();
    for (variable, words) in [
        ("AWS_CONFIG_FILE", "/dev/zero"),
        ("AWS_SHARED_CREDENTIALS_FILE", "/dev/zero"),
        ("AWS_CA_BUNDLE", "/dev/zero"),
    ] {
        let mut sandbox = hurried();
        sandbox.point_at(&fake).env("AWS_PROFILE", "keys");
        sandbox.aws_config("[profile keys]\naws_access_key_id = A\naws_secret_access_key = s\n");
        sandbox.env(variable, "/dev/zero");
        let output = sandbox.get(HOST);
        assert!(line(&output).contains(words), "{output}");
        assert!(output.elapsed < SECOND + SLACK, "{output}");
    }
    assert_eq!(fake.total(), 0);
}

#[test]
fn a_credential_process_that_hangs_ends_at_the_deadline() {
    let fake = FakeAws::start();
    let mut sandbox = hurried();
    sandbox
        .point_at(&fake)
        .env("AWS_PROFILE", "process")
        .aws_config("[profile process]\ncredential_process = sleep 8\n");
    let waited_for = "credential_process of profile \"process\"";
    assert_gave_up(&sandbox.get(HOST), SECOND, waited_for);
    assert_eq!(fake.total(), 0);
}

#[test]
fn a_credential_process_that_hangs_is_ended_with_all_that_it_started() {
    if !Path::new("/proc/self/task").exists() {
        return;
    }
    let fake = FakeAws::start();
    let mut sandbox = hurried();
    sandbox.point_at(&fake);
    let pids = sandbox.home().join("pids");
    let script = format!("sleep 300 & echo $! $$ > {}\nwait\n:\n", pids.display());
    let script = sandbox.write("hangs", script);
    sandbox.aws_config(&format!("[default]\ncredential_process = sh {}; :\n", script.display()));
    sandbox.get(HOST).assert_not_found();
    let deadline = Instant::now() + Duration::from_secs(5);
    for pid in fs::read_to_string(&pids).unwrap().split_whitespace() {
        // A process that has ended and that nobody has asked about yet is one that has ended.
        let runs = || {
            let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
            !stat.is_empty() && !stat.contains(") Z ")
        };
        while runs() {
            assert!(Instant::now() < deadline, "{pid} still runs");
            std::thread::yield_now();
        }
    }
}

#[test]
fn a_credential_process_may_take_longer_than_the_sdk_would_wait() {
    let fake = FakeAws::start();
    let mut sandbox = Sandbox::new();
    let keys = json!({"Version": 1, "AccessKeyId": "AKIASLOW", "SecretAccessKey": "s"});
    let script = sandbox.write("slow", format!("sleep 5.5\necho '{keys}'\n"));
    sandbox
        .point_at(&fake)
        .aws_config(&format!("[default]\ncredential_process = sh {}\n", script.display()));
    let token = decode_password(&sandbox.get(HOST).password());
    assert_eq!(token.access_key_id, "AKIASLOW");
}

#[test]
fn a_credential_process_that_leaves_a_child_with_its_output_holds_up_nobody() {
    let fake = FakeAws::start();
    let mut sandbox = hurried();
    let script = sandbox.write("helper", "sleep 8 &\nsleep 8\n");
    sandbox
        .point_at(&fake)
        .aws_config(&format!("[default]\ncredential_process = sh {}\n", script.display()));
    let output = sandbox.get(HOST);
    assert!(output.elapsed < SECOND + SLACK, "stdout was not closed: {output}");
}

/// A port whose queue of connections is full: whoever tries to connect gets no answer at all, as
/// where packets are swallowed.
struct Swallowing {
    listener: TcpListener,
    _queued: Vec<TcpStream>,
}

impl Swallowing {
    fn start() -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
        let address: SocketAddr = listener.local_addr().unwrap();
        let patience = Duration::from_millis(200);
        let queued = std::iter::from_fn(|| TcpStream::connect_timeout(&address, patience).ok());
        let queued: Vec<_> = queued.take(6000).collect();
        assert!(queued.len() < 6000, "the queue does not fill");
        Self {
            listener,
            _queued: queued,
        }
    }

    fn url(&self) -> String {
        format!("http://{}", self.listener.local_addr().unwrap())
    }
}

#[test]
fn with_no_credentials_anywhere_the_answer_comes_in_under_three_seconds() {
    let (hanging, swallowing) = (HangingServer::start(), Swallowing::start());
    let urls = [hanging.url(), swallowing.url(), support::refused_url()];
    let cases = urls.iter().flat_map(|url| [(url, ""), (url, "us-east-1")]);
    let (sandboxes, urls): (Vec<_>, Vec<_>) = cases
        .map(|(url, region)| {
            let mut sandbox = Sandbox::new();
            sandbox
                .unset("AWS_EC2_METADATA_DISABLED")
                .env("AWS_EC2_METADATA_SERVICE_ENDPOINT", url)
                .env("AWS_REGION", region);
            (sandbox, url)
        })
        .unzip();
    for (output, url) in get_in_each(&sandboxes).iter().zip(urls) {
        assert!(output.elapsed < 3 * SECOND, "{url} {output}");
        let line = line(output);
        for word in ["no AWS credentials", "instance metadata", url] {
            assert!(line.contains(word), "{word:?} is missing: {output}");
        }
    }
}

#[test]
fn the_public_gallery_without_credentials_is_answered_in_under_three_seconds() {
    let hanging = HangingServer::start();
    let mut sandbox = Sandbox::new();
    sandbox
        .unset("AWS_EC2_METADATA_DISABLED")
        .env("AWS_EC2_METADATA_SERVICE_ENDPOINT", hanging.url());
    let output = sandbox.get("public.ecr.aws");
    output.assert_not_found();
    assert!(output.stderr.is_empty(), "{output}");
    assert!(output.elapsed < 3 * SECOND, "{output}");
}

#[test]
fn the_deadline_also_holds_where_it_is_shorter_than_the_metadata_services() {
    let hanging = HangingServer::start();
    let mut sandbox = Sandbox::new();
    sandbox
        .unset("AWS_EC2_METADATA_DISABLED")
        .env("AWS_EC2_METADATA_SERVICE_ENDPOINT", hanging.url())
        .env("AWS_ECR_TIMEOUT", "0.5");
    let output = sandbox.get(HOST);
    line(&output);
    assert!(output.elapsed < SECOND / 2 + SLACK, "{output}");
}

#[test]
fn a_profile_that_names_hanging_instance_metadata_fails_soon() {
    let hanging = HangingServer::start();
    let fake = FakeAws::start();
    let mut sandbox = Sandbox::new();
    sandbox
        .point_at(&fake)
        .env("AWS_PROFILE", "node")
        .env("AWS_EC2_METADATA_DISABLED", "false")
        .env("AWS_EC2_METADATA_SERVICE_ENDPOINT", hanging.url())
        .aws_config(
            "[profile node]\nrole_arn = arn:aws:iam::1:role/r\n\
             credential_source = Ec2InstanceMetadata\n",
        );
    let output = sandbox.get(HOST);
    assert!(output.elapsed < 5 * SECOND, "{output}");
    assert!(line(&output).contains("node"), "{output}");
    assert_eq!(fake.total(), 0);
}

#[test]
fn what_is_cached_is_served_at_once_whatever_hangs() {
    let fake = FakeAws::start();
    let mut sandbox = ready(&fake);
    let password = sandbox.get(HOST).password();
    for operation in [ECR, "sts:AssumeRole"] {
        fake.on(operation, Reply::hang());
    }
    sandbox.env("HTTPS_PROXY", HangingServer::start().url());
    let bundle = pipe(&sandbox.home().join("bundle.pem"));
    sandbox.env("AWS_CA_BUNDLE", bundle);
    let output = sandbox.get(HOST);
    assert_eq!(output.password(), password);
    assert!(output.elapsed < SECOND / 2, "{output}");
    assert_eq!(fake.count(ECR), 1);
}

#[test]
fn those_who_wait_for_another_process_keep_their_own_deadline() {
    let fake = FakeAws::start();
    fake.on(ECR, Reply::hang());
    let mut sandbox = ready(&fake);
    let start = Instant::now();
    let running: Vec<_> = (0..10).map(|_| sandbox.spawn("get", HOST)).collect();
    sandbox.env("AWS_ECR_TIMEOUT", "2");
    let patient = sandbox.spawn("get", HOST);
    for run in running {
        let output = run.wait();
        assert!(output.elapsed < SECOND + SLACK, "{output}");
        line(&output);
    }
    let output = patient.wait();
    assert!(output.elapsed < 2 * SECOND + SLACK, "{output}");
    assert!(start.elapsed() < 5 * SECOND);
}

#[test]
fn the_next_get_is_not_held_up_by_one_that_came_to_its_deadline() {
    let fake = FakeAws::start();
    let sandbox = ready(&fake);
    fake.next(ECR, Reply::hang());
    line(&sandbox.get(HOST));
    let output = sandbox.get(HOST);
    output.password();
    assert!(output.elapsed < SECOND, "{output}");
}

#[test]
fn an_answer_that_comes_in_drops_or_has_no_end_is_given_up_at_the_deadline() {
    let fake = FakeAws::start();
    let sandbox = ready(&fake);
    fake.on(
        ECR,
        Reply::raw(200, "text/html", "x").header("Content-Length", "1000000"),
    );
    let output = sandbox.get(HOST);
    assert!(output.elapsed < SECOND + SLACK, "{output}");
    line(&output);
}

#[test]
fn a_timeout_that_is_no_number_is_told_at_once() {
    let fake = FakeAws::start();
    for wrong in ["abc", "0", "-1", "NaN", "inf inity", "1h"] {
        let mut sandbox = ready(&fake);
        sandbox.env("AWS_ECR_TIMEOUT", wrong);
        let output = sandbox.get(HOST);
        let line = line(&output);
        assert!(line.contains("AWS_ECR_TIMEOUT") && line.contains(wrong), "{output}");
    }
    assert_eq!(fake.total(), 0);
    for fine in ["", "30", "0.9", "1e9", "999999999999999999999999"] {
        let mut sandbox = ready(&fake);
        sandbox.env("AWS_ECR_TIMEOUT", fine);
        sandbox.get(HOST).password();
    }
}

#[test]
fn a_stderr_that_nobody_reads_holds_up_nobody() {
    use std::io::Write;
    let sandbox = Sandbox::new();
    let (reader, mut full) = std::io::pipe().unwrap();
    // As much as a pipe takes on Linux: one byte more would wait for a reader.
    full.write_all(&[b'x'; 65536]).unwrap();
    let answer = sandbox.home().join("answer");
    let mut command = sandbox.command("get");
    command
        .stdin(fs::File::open(sandbox.write("server", HOST)).unwrap())
        .stdout(fs::File::create(&answer).unwrap())
        .stderr(full);
    let mut get = command.spawn().unwrap();
    let deadline = Instant::now() + Duration::from_secs(5);
    while get.try_wait().unwrap().is_none() {
        if Instant::now() > deadline {
            get.kill().unwrap();
            panic!("still writing to stderr");
        }
        std::thread::yield_now();
    }
    drop(reader);
    let answer = fs::read_to_string(answer).unwrap();
    assert_eq!(answer, "credentials not found in native keychain\n");
}

#[test]
fn a_name_look_up_that_hangs_ends_at_the_deadline() {
    if !netns::entered("a_name_look_up_that_hangs_ends_at_the_deadline", &[]) {
        return;
    }
    let silent = std::net::UdpSocket::bind("169.254.169.254:53").unwrap();
    let mut sandbox = Sandbox::new();
    sandbox.use_static_keys().env("AWS_ECR_TIMEOUT", "1");
    let resolver = sandbox.write("resolv.conf", "nameserver 169.254.169.254\n");
    let mounted = Command::new("mount")
        .arg("--bind")
        .args([resolver.as_path(), Path::new("/etc/resolv.conf")])
        .status();
    assert!(mounted.unwrap().success());
    let output = sandbox.get(HOST);
    output.assert_not_found();
    assert!(output.stderr.contains("api.ecr.us-east-1.amazonaws.com"), "{output}");
    assert!(output.elapsed < Duration::from_secs(2), "{output}");
    drop(silent);
    let unmounted = Command::new("umount").arg("/etc/resolv.conf").status();
    assert!(unmounted.unwrap().success());
}
