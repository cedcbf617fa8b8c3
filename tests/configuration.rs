//! config.toml: whom its entries choose and for which hosts, what goes before it, and that a file which is not to be
//! trusted or understood is an error in every case, and never "no configuration".

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stderr,
    missing_docs
)]

mod netns;
mod support;

use std::fs::{self, Permissions};
use std::os::unix::fs::{MetadataExt, PermissionsExt, chown, symlink};
use std::path::Path;
use std::process::Command;
use std::time::Duration;
use support::{FakeAws, Output, Reply, Running, STATIC_KEY_ID, Sandbox, decode_password, world, world_with_keys};

const HOST: &str = "123456789012.dkr.ecr.eu-central-1.amazonaws.com";
const OTHER_ACCOUNT: &str = "210987654321.dkr.ecr.eu-central-1.amazonaws.com";
const ALIAS: &str = "registry.corp.example";

const ECR: &str = "ecr:GetAuthorizationToken";
const STS: &str = "sts:AssumeRole";
const ROLE: &str = "arn:aws:iam::210987654321:role/pull";

/// For every private registry of one account.
const PROD: &str = "[[registry]]\nmatch = \"123456789012.dkr.ecr.*.amazonaws.com\"\nprofile = \"prod\"\n";

fn keys(profile: &str, key_id: &str) -> String {
    format!("[{profile}]\naws_access_key_id = {key_id}\naws_secret_access_key = secret-of-{key_id}\n")
}

/// An entry for the host with these lines.
fn entry(host: &str, lines: &str) -> String {
    format!("[[registry]]\nmatch = \"{host}\"\n{lines}\n")
}

/// Gets a token, and tells the key it was asked with and whether that was now.
fn get(fake: &FakeAws, sandbox: &Sandbox, host: &str) -> (String, bool) {
    let before = fake.total();
    let output = sandbox.get(host);
    assert_eq!(output.server_url(), host);
    assert_eq!(output.stderr, "");
    let token = decode_password(&output.password());
    (token.access_key_id, fake.total() > before)
}

/// Gets a token that AWS is asked for now, and the same once more from the cache. The key it was asked with.
fn fetched(fake: &FakeAws, sandbox: &Sandbox, host: &str) -> String {
    let (key, asked) = get(fake, sandbox, host);
    assert!(asked, "another identity's token was served");
    assert_eq!(get(fake, sandbox, host), (key.clone(), false), "not kept");
    key
}

/// Gets a token from the cache. The key it was once asked with.
fn cached(fake: &FakeAws, sandbox: &Sandbox, host: &str) -> String {
    let (key, asked) = get(fake, sandbox, host);
    assert!(!asked, "the identity is the same and was asked for again");
    key
}

/// Docker goes on without credentials, and a person is told all of these words.
fn assert_says(output: &Output, words: &[&str]) {
    output.assert_not_found();
    assert_eq!(output.stderr.lines().count(), 1, "{output}");
    for word in words {
        assert!(output.stderr.contains(word), "{word:?} is not in: {output}");
    }
    assert!(!output.stderr.contains("secret-of"), "{output}");
}

/// Everything that would give credentials to whoever fell back on it.
fn with_every_other_source(fake: &FakeAws, sandbox: &mut Sandbox) {
    let token = sandbox.write("token", "a.web.token");
    sandbox
        .use_static_keys()
        .env("AWS_WEB_IDENTITY_TOKEN_FILE", token)
        .env("AWS_ROLE_ARN", ROLE)
        .env(
            "AWS_CONTAINER_CREDENTIALS_FULL_URI",
            format!("{}/container-credentials", fake.url()),
        )
        .env("AWS_EC2_METADATA_SERVICE_ENDPOINT", fake.url())
        .unset("AWS_EC2_METADATA_DISABLED");
}

fn is_root() -> bool {
    fs::metadata("/proc/self").is_ok_and(|process| process.uid() == 0)
}

#[test]
fn an_entrys_profile_goes_before_the_keys_and_the_profile_of_the_environment() {
    let (fake, mut sandbox) = world();
    with_every_other_source(&fake, &mut sandbox);
    sandbox.env("AWS_PROFILE", "other");
    sandbox.aws_credentials(&(keys("prod", "AKIAPROD") + &keys("other", "AKIAOTHER")));
    sandbox.configure(PROD);
    assert_eq!(fetched(&fake, &sandbox, HOST), "AKIAPROD");
    let elsewhere = "123456789012.dkr.ecr.us-west-2.amazonaws.com";
    assert_eq!(fetched(&fake, &sandbox, elsewhere), "AKIAPROD");
    // What no entry is for is the environment's, as it ever was.
    assert_eq!(fetched(&fake, &sandbox, OTHER_ACCOUNT), STATIC_KEY_ID);
    assert_eq!(fake.total(), fake.count(ECR), "nobody else was asked");
}

#[test]
fn an_entrys_profile_without_credentials_is_an_error_and_never_somebody_elses() {
    let (fake, mut sandbox) = world();
    with_every_other_source(&fake, &mut sandbox);
    sandbox.aws_credentials("[half]\naws_access_key_id = AKIAHALF\n[late]\naws_secret_access_key = secret-of-late\n");
    sandbox.aws_config(&format!(
        "[profile empty]\nregion = eu-west-1\n\
         [profile rootless]\nrole_arn = {ROLE}\n\
         [profile lost]\nrole_arn = {ROLE}\nsource_profile = gone\n\
         [profile above]\nrole_arn = {ROLE}\nsource_profile = empty\n\
         [profile one]\nrole_arn = {ROLE}\nsource_profile = two\n\
         [profile two]\nrole_arn = {ROLE}\nsource_profile = one\n"
    ));
    for name in ["prod", "empty", "half", "late", "rootless", "lost", "above", "one"] {
        sandbox.configure(entry("*", &format!("profile = \"{name}\"")));
        assert_says(&sandbox.get(HOST), &[HOST, name]);
        let role = format!("role_arn = \"{ROLE}\"\nsource_profile = \"{name}\"");
        sandbox.configure(entry("*", &role));
        assert_says(&sandbox.get(HOST), &[HOST, name]);
    }
    assert_eq!(fake.total(), 0);
}

#[test]
fn public_ecr_with_an_entry_without_credentials_is_not_anonymous() {
    let (fake, sandbox) = world();
    sandbox.configure(entry("public.ecr.aws", "profile = \"prod\""));
    assert_says(&sandbox.get("public.ecr.aws"), &["\"prod\"", "does not exist"]);
    assert_eq!(fake.total(), 0);
}

#[test]
fn an_entrys_role_without_credentials_to_assume_it_is_nobody_elses_login_and_not_anonymous() {
    let (fake, mut sandbox) = world();
    sandbox.env("AWS_EC2_METADATA_DISABLED", "true");
    for host in [HOST, "public.ecr.aws"] {
        let login = format!("{{\"ServerURL\":\"{host}\",\"Username\":\"AWS\",\"Secret\":\"typed\"}}");
        assert_eq!(sandbox.run("store", login).code, Some(0));
        assert_eq!(sandbox.get(host).password(), "typed");
    }
    sandbox.configure(entry("*", &format!("role_arn = \"{ROLE}\"")));
    for host in [HOST, "public.ecr.aws"] {
        assert_says(&sandbox.get(host), &[host, "no AWS credentials"]);
        assert_eq!(sandbox.run("erase", host).code, Some(0));
        assert_says(&sandbox.get(host), &[host, "no AWS credentials"]);
    }
    assert_eq!(fake.total(), 0);
}

#[test]
fn an_entrys_profile_has_one_token_whatever_profile_the_environment_names() {
    let (fake, mut sandbox) = world();
    sandbox.aws_credentials(&(keys("prod", "AKIAPROD") + &keys("other", "AKIAOTHER")));
    sandbox.configure(PROD);
    assert_eq!(fetched(&fake, &sandbox, HOST), "AKIAPROD");
    sandbox.env("AWS_PROFILE", "other");
    assert_eq!(cached(&fake, &sandbox, HOST), "AKIAPROD");
    assert_eq!(fetched(&fake, &sandbox, OTHER_ACCOUNT), "AKIAOTHER");
}

#[test]
fn a_profile_that_asks_for_the_environments_keys_gets_them() {
    let (fake, mut sandbox) = world_with_keys();
    sandbox.aws_config(&format!(
        "[profile prod]\nrole_arn = {ROLE}\ncredential_source = Environment\n\
         [profile top]\nrole_arn = {ROLE}-top\nsource_profile = prod\n"
    ));
    sandbox.configure(PROD);
    let key = fetched(&fake, &sandbox, HOST);
    let assumed = fake.requests_to(STS);
    assert_eq!(assumed.len(), 1);
    assert_eq!(assumed[0].access_key_id.as_deref(), Some(STATIC_KEY_ID));
    assert_eq!(assumed[0].issued_access_key_id().unwrap(), key);
    // Another key in the environment is another identity.
    sandbox.env("AWS_ACCESS_KEY_ID", "AKIASECOND");
    assert_ne!(fetched(&fake, &sandbox, HOST), key);
    // A role upon that role.
    fake.clear();
    sandbox.configure(entry("*", "profile = \"top\""));
    fetched(&fake, &sandbox, HOST);
    let arns: Vec<_> = fake
        .requests_to(STS)
        .iter()
        .map(|hop| hop.form()["RoleArn"].clone())
        .collect();
    assert_eq!(arns, [ROLE.to_owned(), format!("{ROLE}-top")]);
    sandbox.unset("AWS_SECRET_ACCESS_KEY");
    assert_says(
        &sandbox.get(HOST),
        &["\"prod\"", "credential_source = Environment", "AWS_SECRET_ACCESS_KEY"],
    );
}

#[test]
fn a_profile_that_asks_for_the_containers_credentials_gets_those() {
    let (fake, mut sandbox) = world();
    with_every_other_source(&fake, &mut sandbox);
    sandbox.aws_config(&format!(
        "[profile prod]\nrole_arn = {ROLE}\ncredential_source = EcsContainer\n"
    ));
    sandbox.configure(PROD);
    fetched(&fake, &sandbox, HOST);
    let asked: Vec<_> = fake.requests().into_iter().map(|request| request.operation).collect();
    assert_eq!(asked, ["container:credentials", STS, ECR]);
}

#[test]
fn an_entrys_role_is_assumed_with_the_environments_credentials() {
    let (fake, sandbox) = world_with_keys();
    sandbox.configure(entry(
        "210987654321.*",
        &format!("role_arn = \"{ROLE}\"\nexternal_id = \"third party\"\nrole_session_name = \"ci\""),
    ));
    let key = fetched(&fake, &sandbox, OTHER_ACCOUNT);
    let assumed = fake.requests_to(STS);
    assert_eq!(assumed.len(), 1);
    let form = assumed[0].form();
    assert_eq!(assumed[0].access_key_id.as_deref(), Some(STATIC_KEY_ID));
    assert_eq!(form["RoleArn"], ROLE);
    assert_eq!(form["ExternalId"], "third party");
    assert_eq!(form["RoleSessionName"], "ci");
    assert!(!form.contains_key("SerialNumber") && !form.contains_key("TokenCode"));
    assert_eq!(assumed[0].issued_access_key_id().unwrap(), key);
    assert_eq!(fetched(&fake, &sandbox, HOST), STATIC_KEY_ID);
}

#[test]
fn an_entrys_role_is_assumed_with_its_source_profile_whatever_the_environment_holds() {
    let (fake, mut sandbox) = world();
    with_every_other_source(&fake, &mut sandbox);
    sandbox.env("AWS_PROFILE", "nowhere");
    sandbox.aws_credentials(&keys("base", "AKIABASE"));
    sandbox.aws_config(&format!(
        "[profile middle]\nrole_arn = {ROLE}-middle\nsource_profile = base\n"
    ));
    let role = format!("role_arn = \"{ROLE}\"\nsession_name = \"me\"\nsource_profile");
    sandbox.configure(entry("*", &format!("{role} = \"base\"")));
    fetched(&fake, &sandbox, HOST);
    let assumed = fake.requests_to(STS);
    assert_eq!(assumed[0].access_key_id.as_deref(), Some("AKIABASE"));
    assert_eq!(assumed[0].form()["RoleSessionName"], "me");
    assert!(!assumed[0].form().contains_key("ExternalId"));
    fake.clear();
    sandbox.configure(entry("*", &format!("{role} = \"middle\"")));
    fetched(&fake, &sandbox, HOST);
    let arns: Vec<_> = fake
        .requests_to(STS)
        .iter()
        .map(|hop| hop.form()["RoleArn"].clone())
        .collect();
    assert_eq!(arns, [format!("{ROLE}-middle"), ROLE.to_owned()]);
}

#[test]
fn an_entrys_role_is_assumed_with_a_web_identity_where_the_environment_has_that() {
    let (fake, mut sandbox) = world();
    let token = sandbox.write("token", "a.web.token");
    sandbox
        .env("AWS_WEB_IDENTITY_TOKEN_FILE", token)
        .env("AWS_ROLE_ARN", "arn:aws:iam::123456789012:role/pod");
    sandbox.configure(entry("*", &format!("role_arn = \"{ROLE}\"")));
    fetched(&fake, &sandbox, HOST);
    let asked: Vec<_> = fake.requests().into_iter().map(|request| request.operation).collect();
    assert_eq!(asked, ["sts:AssumeRoleWithWebIdentity", STS, ECR]);
}

#[test]
fn a_role_that_may_not_be_assumed_is_named() {
    let (fake, sandbox) = world_with_keys();
    sandbox.configure(entry("*", &format!("role_arn = \"{ROLE}\"")));
    fake.on(
        STS,
        Reply::aws_error(403, "AccessDenied", "not authorized to perform: sts:AssumeRole"),
    );
    assert_says(&sandbox.get(HOST), &[ROLE, "sts:AssumeRole"]);
    assert_eq!(fake.count(ECR), 0);
}

#[test]
fn no_token_is_ever_served_to_another_choice_of_credentials() {
    let (fake, mut sandbox) = world_with_keys();
    sandbox.aws_credentials(&(keys("prod", "AKIAPROD") + &keys("twin", "AKIAPROD") + &keys("base", STATIC_KEY_ID)));
    let role = format!("role_arn = \"{ROLE}\"");
    let choices = [
        String::new(),
        entry("*", "profile = \"prod\""),
        entry("*", "profile = \"twin\""),
        entry("*", "profile = \"base\""),
        entry("*", &role),
        entry("*", &format!("{role}\nexternal_id = \"a\"")),
        entry("*", &format!("{role}\nexternal_id = \"b\"")),
        entry("*", &format!("{role}\nrole_session_name = \"a\"")),
        entry("*", &format!("{role}\nsource_profile = \"base\"")),
        entry("*", &format!("{role}\nsource_profile = \"prod\"")),
    ];
    let mut first = Vec::new();
    for choice in &choices {
        sandbox.configure(choice);
        first.push(fetched(&fake, &sandbox, HOST));
    }
    for (choice, key) in choices.iter().zip(&first) {
        sandbox.configure(choice);
        assert_eq!(cached(&fake, &sandbox, HOST), *key, "{choice}");
    }
    // The profile that the environment names is another choice than the same profile in an entry.
    sandbox.unset("AWS_ACCESS_KEY_ID").env("AWS_PROFILE", "prod");
    sandbox.configure("");
    assert_eq!(fetched(&fake, &sandbox, HOST), "AKIAPROD");
}

#[test]
fn the_first_entry_that_matches_the_whole_host_wins() {
    let (fake, sandbox) = world_with_keys();
    sandbox.aws_credentials(&(keys("one", "AKIAONE") + &keys("two", "AKIATWO")));
    sandbox.configure(
        entry("12345678901", "profile = \"gone\"")
            + &entry("*.us-east-1.*", "profile = \"gone\"")
            + &entry("123456789012.*.EU-central-1.*", "profile = \"one\"")
            + &entry("*", "profile = \"two\""),
    );
    assert_eq!(fetched(&fake, &sandbox, HOST), "AKIAONE");
    assert_eq!(fetched(&fake, &sandbox, OTHER_ACCOUNT), "AKIATWO");
    // The host is looked at without its port and scheme, in lower case, however it is asked for.
    let shouted = format!("https://{}:443/v2/", HOST.to_uppercase());
    assert_eq!(cached(&fake, &sandbox, &shouted), "AKIAONE");
}

#[test]
fn an_entry_without_profile_and_role_is_the_environments() {
    let (fake, sandbox) = world_with_keys();
    sandbox.aws_credentials(&keys("prod", "AKIAPROD"));
    fetched(&fake, &sandbox, HOST);
    sandbox.configure(entry("123456789012.*", "") + &entry("*", "profile = \"prod\""));
    assert_eq!(cached(&fake, &sandbox, HOST), STATIC_KEY_ID);
}

#[test]
fn a_wildcard_makes_no_ecr_of_other_hosts() {
    let (fake, sandbox) = world_with_keys();
    sandbox.aws_credentials(&keys("prod", "AKIAPROD"));
    sandbox.configure(entry("*", "profile = \"prod\""));
    for host in ["docker.io", "https://index.docker.io/v1/", "ecr.evil.example", ALIAS] {
        let output = sandbox.get(host);
        output.assert_not_found();
        assert_eq!(output.stderr, "");
    }
    let look_alike = format!("{HOST}.evil.example");
    sandbox.get(&look_alike).assert_not_found();
    let login = r#"{"ServerURL":"docker.io","Username":"me","Secret":"password"}"#;
    let stored = sandbox.run("store", login);
    assert_eq!(stored.code, Some(1));
    assert!(stored.stdout.contains("not an Amazon ECR registry"), "{stored}");
    assert_eq!(fake.total(), 0);
    for wide in ["*", "*.example", "registry.*", "*.dkr.ecr.eu-central-1.amazonaws.*"] {
        let path = sandbox.configure(entry(wide, &format!("ecr = \"{HOST}\"")));
        let line = format!("{} line 2: match: ", path.display());
        assert_says(&sandbox.get("docker.io"), &[&line, "too wide"]);
    }
}

#[test]
fn a_name_in_front_of_ecr_is_answered_with_a_token_of_the_registry_behind_it() {
    let (fake, sandbox) = world_with_keys();
    sandbox.aws_credentials(&keys("prod", "AKIAPROD"));
    sandbox.configure(entry(ALIAS, &format!("ecr = \"{HOST}\"\nprofile = \"prod\"")));
    assert_eq!(fetched(&fake, &sandbox, ALIAS), "AKIAPROD");
    let asked = fake.requests_to(ECR);
    assert_eq!(asked[0].region.as_deref(), Some("eu-central-1"));
    for same in [
        "https://registry.corp.example",
        "Registry.Corp.EXAMPLE:443",
        "http://registry.corp.example:5000/v2/",
    ] {
        assert_eq!(cached(&fake, &sandbox, same), "AKIAPROD");
    }
    // Only that name: neither one below it nor another beside it.
    for other in ["a.registry.corp.example", "registry.corp.example.evil", "corp.example"] {
        sandbox.get(other).assert_not_found();
    }
    assert_eq!(fake.total(), 1);
    let listed = sandbox.run("list", "");
    assert_eq!(listed.stdout.trim(), format!("{{\"{ALIAS}\":\"AWS\"}}"));
}

#[test]
fn a_name_in_front_of_ecr_and_the_registry_behind_it_share_no_token() {
    let (fake, sandbox) = world_with_keys();
    let other = "mirror.corp.example";
    let target = |host| format!("ecr = \"{host}\"");
    sandbox.configure(entry(ALIAS, &target(HOST)) + &entry(other, &target("public.ecr.aws")));
    assert_eq!(fetched(&fake, &sandbox, HOST), STATIC_KEY_ID);
    assert_eq!(fetched(&fake, &sandbox, ALIAS), STATIC_KEY_ID);
    assert_eq!(fetched(&fake, &sandbox, other), STATIC_KEY_ID);
    assert_eq!(fake.count("ecr-public:GetAuthorizationToken"), 1);
    // An entry that now stands in front of another registry does not hand out the former one's token.
    sandbox.configure(entry(ALIAS, &target("123456789012.dkr.ecr.us-west-2.amazonaws.com")));
    fetched(&fake, &sandbox, ALIAS);
    assert_eq!(
        fake.requests_to(ECR).last().unwrap().region.as_deref(),
        Some("us-west-2")
    );
    sandbox.configure(entry(ALIAS, &target(OTHER_ACCOUNT)));
    fetched(&fake, &sandbox, ALIAS);
    sandbox.configure("");
    sandbox.get(ALIAS).assert_not_found();
}

#[test]
fn a_login_is_for_the_entry_that_it_was_made_under() {
    let (fake, sandbox) = world_with_keys();
    sandbox.aws_credentials(&(keys("prod", "AKIAPROD") + &keys("dev", "AKIADEV")));
    let alias = entry(ALIAS, &format!("ecr = \"{HOST}\"\nprofile = \"prod\""));
    sandbox.configure(PROD.to_owned() + &alias);
    for host in [HOST, ALIAS] {
        let login = format!("{{\"ServerURL\":\"{host}\",\"Username\":\"AWS\",\"Secret\":\"typed-for-{host}\"}}");
        let stored = sandbox.run("store", login);
        assert_eq!((stored.code, stored.stdout.as_str()), (Some(0), ""), "{stored}");
    }
    for host in [HOST, ALIAS] {
        assert_eq!(sandbox.get(host).password(), format!("typed-for-{host}"));
    }
    assert_eq!(fake.total(), 0);
    let listed = sandbox.run("list", "");
    assert!(
        listed.stdout.contains(HOST) && listed.stdout.contains(ALIAS),
        "{listed}"
    );
    let changed = (PROD.to_owned() + &alias).replace("\"prod\"", "\"dev\"");
    sandbox.configure(&changed);
    assert_eq!(fetched(&fake, &sandbox, HOST), "AKIADEV");
    assert_eq!(fetched(&fake, &sandbox, ALIAS), "AKIADEV");
    sandbox.configure("");
    assert_eq!(fetched(&fake, &sandbox, HOST), STATIC_KEY_ID);
    sandbox.configure(PROD.to_owned() + &alias);
    assert_eq!(sandbox.run("erase", ALIAS).code, Some(0));
    assert_eq!(sandbox.get(HOST).password(), format!("typed-for-{HOST}"));
    assert_eq!(get(&fake, &sandbox, ALIAS).0, "AKIAPROD");
}

#[test]
fn the_variables_go_before_the_files_keys() {
    let (fake, mut sandbox) = world_with_keys();
    fake.on(ECR, Reply::hang());
    sandbox.configure("timeout = \"300ms\"\nstrict = true\n");
    let output = sandbox.get(HOST);
    assert_eq!(output.code, Some(1));
    assert!(output.stdout.contains("no token after 0.3 seconds"), "{output}");
    assert!(output.stderr.contains("no token after 0.3 seconds"), "{output}");
    sandbox.env("AWS_ECR_TIMEOUT", "0.2").env("AWS_ECR_STRICT", "false");
    assert_says(&sandbox.get(HOST), &["no token after 0.2 seconds"]);
    sandbox.configure("timeout = 60\n");
    sandbox.env("AWS_ECR_STRICT", "true");
    assert!(sandbox.get(HOST).stdout.contains("no token after 0.2 seconds"));
    // Set and empty is unset.
    sandbox.configure("timeout = 0.4\nstrict = true\n");
    sandbox.env("AWS_ECR_TIMEOUT", "").env("AWS_ECR_STRICT", "");
    assert!(sandbox.get(HOST).stdout.contains("no token after 0.4 seconds"));
}

#[test]
fn the_log_is_the_files_unless_the_variable_says_otherwise() {
    let (_fake, mut sandbox) = world_with_keys();
    let log = sandbox.cache_dir().join("helper.log");
    sandbox.configure("log = \"off\"\n");
    sandbox.get(HOST).password();
    assert!(!log.exists());
    sandbox.env("AWS_ECR_LOG", "debug");
    sandbox.get(HOST).password();
    assert!(fs::read_to_string(&log).unwrap().contains("cache hit"));
    fs::remove_file(&log).unwrap();
    sandbox.configure("log = \"debug\"\n");
    sandbox.env("AWS_ECR_LOG", "off");
    sandbox.get(HOST).password();
    assert!(!log.exists());
    sandbox.unset("AWS_ECR_LOG");
    sandbox.get(HOST).password();
    assert!(log.exists());
}

#[test]
fn a_fault_is_named_by_file_line_and_key() {
    let (fake, sandbox) = world_with_keys();
    let role = format!("role_arn = \"{ROLE}\"");
    for (text, line, key) in [
        ("timeout = \"soon\"".to_owned(), 1, "timeout"),
        ("\n# words\ntimeout = -1".to_owned(), 3, "timeout"),
        ("timeout = true".to_owned(), 1, "timeout"),
        ("timeout = 0".to_owned(), 1, "timeout"),
        ("strict = \"true\"".to_owned(), 1, "strict"),
        ("strict = 1".to_owned(), 1, "strict"),
        ("log = \"loud\"".to_owned(), 1, "log"),
        ("log = false".to_owned(), 1, "log"),
        ("\nfallback = \"/usr/bin/helper\"".to_owned(), 2, "fallback"),
        ("fallback = [\"pass\"]".to_owned(), 1, "fallback"),
        ("registries = []".to_owned(), 1, "\"registries\""),
        ("Strict = true".to_owned(), 1, "\"Strict\""),
        ("strict = true\nprofile = \"prod\"".to_owned(), 2, "\"profile\""),
        ("[registry]\nmatch = \"*\"".to_owned(), 1, "registry"),
        ("[section]\nstrict = true".to_owned(), 1, "\"section\""),
        (entry("*", "profil = \"prod\""), 3, "\"profil\""),
        (entry("*", "timeout = \"30s\""), 3, "\"timeout\""),
        (entry("*", "profile = 7"), 3, "profile"),
        (entry("*", "profile = \"\""), 3, "profile"),
        (entry("*", "profile = \"a\\nb\""), 3, "profile"),
        (entry("*", "external_id = \"x\""), 3, "external_id"),
        (entry("*", "source_profile = \"x\""), 3, "source_profile"),
        (entry("*", "mfa_serial = \"x\""), 3, "mfa_serial"),
        (entry("*", "role_arn = \"pull\""), 3, "role_arn"),
        (
            entry("*", "role_arn = \"arn:aws:iam::210987654321:user/me\""),
            3,
            "role_arn",
        ),
        (
            entry("*", &format!("profile = \"a\"\n{role}")),
            1,
            "profile and role_arn",
        ),
        (entry("a.b", "ecr = \"docker.io\""), 3, "ecr"),
        (entry("a.b", "ecr = \"*.dkr.ecr.eu-central-1.amazonaws.com\""), 3, "ecr"),
        (entry("https://a.b", ""), 2, "match"),
        (entry("a.b/repository", ""), 2, "match"),
        (entry("[a", ""), 2, "match"),
        (entry("", ""), 2, "match"),
        ("[[registry]]\nprofile = \"prod\"".to_owned(), 1, "match"),
        (PROD.to_owned() + "[[registry]]\nprofile = \"prod\"", 4, "match"),
        (
            entry("*", &format!("{role}\nrole_session_name = \"a\"\nsession_name = \"b\"")),
            5,
            "session_name",
        ),
        ("strict = true\nstrict = true".to_owned(), 2, "duplicate key"),
        ("strict = true\nnonsense".to_owned(), 2, "not valid TOML"),
        ("strict = true\n\nlog = \"off".to_owned(), 3, "not valid TOML"),
    ] {
        let path = sandbox.configure(&text);
        let place = format!("{} line {line}: ", path.display());
        let output = sandbox.get(HOST);
        assert_says(&output, &[&place]);
        let (_, behind) = output.stderr.split_once(&place).unwrap();
        assert!(behind.contains(key), "{text}: {output}");
    }
    let path = sandbox.configure(b"strict = true\n# \xff\n");
    assert_says(&sandbox.get(HOST), &[&format!("{} line 2: not UTF-8", path.display())]);
    assert_eq!(fake.total(), 0);
}

#[test]
fn a_fault_is_the_end_of_every_verb_and_of_what_is_cached() {
    let (fake, mut sandbox) = world_with_keys();
    sandbox.get(HOST).password();
    fake.clear();
    sandbox.configure("nonsense = 1\n");
    let login = format!("{{\"ServerURL\":\"{HOST}\",\"Username\":\"AWS\",\"Secret\":\"password\"}}");
    for (verb, input) in [
        ("get", HOST),
        ("get", "docker.io"),
        ("store", &login),
        ("erase", HOST),
        ("list", ""),
    ] {
        assert_says(&sandbox.run(verb, input), &["line 1: \"nonsense\" is not known"]);
    }
    for args in [
        &["cache", "list"][..],
        &["cache", "clear"],
        &["get-login-password", "--registry", HOST],
    ] {
        let output = sandbox.run_args(args);
        assert_eq!((output.code, output.stdout.as_str()), (Some(1), ""), "{output}");
        assert!(output.stderr.contains("line 1: \"nonsense\""), "{output}");
    }
    // Nothing of such a file counts, but the environment's word does.
    sandbox.configure("strict = true\nnonsense = 1\n");
    sandbox.get(HOST).assert_not_found();
    sandbox.env("AWS_ECR_STRICT", "true");
    let strict = sandbox.get(HOST);
    assert!(strict.stdout.contains("line 2: \"nonsense\""), "{strict}");
    assert_eq!(fake.total(), 0);
    // Nobody needs a configuration to be told the version.
    assert_eq!(sandbox.run("version", "").code, Some(0));
    sandbox.configure("");
    assert_eq!(cached(&fake, &sandbox, HOST), STATIC_KEY_ID);
}

#[test]
fn a_file_that_others_can_write_is_refused() {
    let (fake, sandbox) = world_with_keys();
    for mode in [0o664, 0o646, 0o622, 0o666, 0o777] {
        let path = sandbox.configure("strict = true\n");
        fs::set_permissions(&path, Permissions::from_mode(mode)).unwrap();
        let shown = path.display().to_string();
        assert_says(
            &sandbox.get(HOST),
            &[&shown, "can be written by others", &format!("chmod go-w {shown}")],
        );
    }
    assert_eq!(fake.total(), 0);
    for mode in [0o600, 0o644, 0o755, 0o400] {
        let path = sandbox.configure("");
        fs::set_permissions(&path, Permissions::from_mode(mode)).unwrap();
        sandbox.get(HOST).password();
    }
}

#[test]
fn a_file_of_another_user_is_refused() {
    if !is_root() {
        eprintln!("skipped: only root can give a file away");
        return;
    }
    let (fake, sandbox) = world_with_keys();
    let path = sandbox.configure("");
    chown(&path, Some(12345), Some(12345)).unwrap();
    assert_says(&sandbox.get(HOST), &[path.to_str().unwrap(), "belongs to another user"]);
    assert_eq!(fake.total(), 0);
    // A group is nobody where it may not write.
    chown(&path, Some(0), Some(12345)).unwrap();
    sandbox.get(HOST).password();
}

#[test]
fn what_is_no_file_is_refused_and_never_waited_for() {
    let (fake, mut sandbox) = world_with_keys();
    let path = sandbox.config_file();
    let shown = path.display().to_string();
    fs::create_dir_all(&path).unwrap();
    assert_says(&sandbox.get(HOST), &[&shown, "not a regular file"]);
    fs::remove_dir(&path).unwrap();
    let made = Command::new("mkfifo").arg(&path).status();
    assert!(made.is_ok_and(|status| status.success()), "mkfifo");
    assert_says(&sandbox.get(HOST), &[&shown, "not a regular file"]);
    sandbox.env("AWS_ECR_CONFIG_FILE", "/dev/zero");
    assert_says(&sandbox.get(HOST), &["/dev/zero", "not a regular file"]);
    // As with AWS's own files, this one is empty.
    sandbox.env("AWS_ECR_CONFIG_FILE", "/dev/null");
    sandbox.get(HOST).password();
    assert_eq!(fake.total(), 1);
}

#[test]
fn a_file_that_is_named_and_not_there_is_an_error() {
    let (fake, mut sandbox) = world_with_keys();
    sandbox.configure(PROD);
    sandbox.aws_credentials(&keys("prod", "AKIAPROD"));
    let missing = sandbox.home().join("missing.toml");
    let below_a_file = sandbox.write("file", "").join("config.toml");
    for path in [missing, below_a_file] {
        sandbox.env("AWS_ECR_CONFIG_FILE", path.clone());
        assert_says(&sandbox.get(HOST), &[path.to_str().unwrap(), "cannot be read"]);
    }
    assert_eq!(fake.total(), 0);
    // And one that is there takes the place of the user's own.
    let named = sandbox.write("named.toml", "");
    fs::set_permissions(&named, Permissions::from_mode(0o600)).unwrap();
    sandbox.env("AWS_ECR_CONFIG_FILE", "~/named.toml");
    assert_eq!(fetched(&fake, &sandbox, HOST), STATIC_KEY_ID);
    sandbox.unset("AWS_ECR_CONFIG_FILE");
    assert_eq!(fetched(&fake, &sandbox, HOST), "AKIAPROD");
}

#[test]
fn a_link_is_followed_and_what_is_behind_it_judged() {
    let (fake, sandbox) = world_with_keys();
    sandbox.aws_credentials(&keys("prod", "AKIAPROD"));
    let path = sandbox.configure(PROD);
    let real = sandbox.home().join("dotfiles.toml");
    fs::rename(&path, &real).unwrap();
    symlink(&real, &path).unwrap();
    assert_eq!(fetched(&fake, &sandbox, HOST), "AKIAPROD");
    fs::set_permissions(&real, Permissions::from_mode(0o666)).unwrap();
    assert_says(&sandbox.get(HOST), &["can be written by others"]);
    // Somebody has a configuration, and it is not to be had.
    fs::remove_file(&real).unwrap();
    assert_says(&sandbox.get(HOST), &[path.to_str().unwrap(), "cannot be read"]);
    fs::remove_file(&path).unwrap();
    symlink(&path, &path).unwrap();
    assert_says(&sandbox.get(HOST), &[path.to_str().unwrap(), "cannot be read"]);
}

#[test]
fn a_file_without_end_is_refused() {
    let (fake, sandbox) = world_with_keys();
    let path = sandbox.configure(vec![b'#'; 2 << 20]);
    assert_says(&sandbox.get(HOST), &[path.to_str().unwrap(), "larger than 1 MiB"]);
    assert_eq!(fake.total(), 0);
}

/// Runs as a user without rights, in a home of their own.
fn get_as_nobody(sandbox: &Sandbox) -> Option<Output> {
    let own = sandbox.command("get");
    let program = sandbox.home().join("program");
    if !program.exists() {
        // What is built may lie where only root can go.
        fs::copy(own.get_program(), &program).unwrap();
        fs::set_permissions(&program, Permissions::from_mode(0o755)).unwrap();
        fs::set_permissions(sandbox.home().parent().unwrap(), Permissions::from_mode(0o755)).unwrap();
    }
    let mut nobody = Command::new("setpriv");
    nobody
        .args(["--reuid=12345", "--regid=12345", "--clear-groups"])
        .arg(&program)
        .arg("get")
        .env_clear()
        .envs(own.get_envs().filter_map(|(name, value)| Some((name, value?))));
    let is_there = Command::new("setpriv").arg("--version").output().is_ok();
    (is_root() && is_there).then(|| Running::start(nobody, HOST, Duration::from_secs(30)).wait())
}

#[test]
fn a_file_that_may_not_be_read_is_an_error() {
    let (fake, mut sandbox) = world_with_keys();
    let path = sandbox.configure(PROD);
    let shown = path.display().to_string();
    chown(sandbox.home(), Some(12345), None).ok();
    let Some(trusted) = get_as_nobody(&sandbox) else {
        eprintln!("skipped: needs root and setpriv");
        return;
    };
    // Root's file is read and understood: the profile is not there.
    assert_says(&trusted, &["\"prod\""]);
    fs::set_permissions(&path, Permissions::from_mode(0o600)).unwrap();
    assert_says(&get_as_nobody(&sandbox).unwrap(), &[&shown, "permission denied"]);
    chown(&path, Some(12345), None).unwrap();
    fs::set_permissions(&path, Permissions::from_mode(0o000)).unwrap();
    assert_says(&get_as_nobody(&sandbox).unwrap(), &[&shown, "permission denied"]);
    fs::set_permissions(&path, Permissions::from_mode(0o644)).unwrap();
    let directory = path.parent().unwrap();
    fs::set_permissions(directory, Permissions::from_mode(0o700)).unwrap();
    assert_says(&get_as_nobody(&sandbox).unwrap(), &[&shown, "permission denied"]);
    sandbox.env("AWS_ECR_CONFIG_FILE", path);
    assert_says(&get_as_nobody(&sandbox).unwrap(), &[&shown, "permission denied"]);
    assert_eq!(fake.total(), 0);
    // A service that was left with another user's home has no configuration there.
    sandbox.unset("AWS_ECR_CONFIG_FILE");
    chown(sandbox.home(), Some(0), None).unwrap();
    get_as_nobody(&sandbox).unwrap().password();
}

/// A `get` where /etc holds nothing but that config.toml.
fn get_with_system(sandbox: &Sandbox, system: &Path) -> Output {
    const SCRIPT: &str = "mount -t tmpfs tmpfs /etc; mkdir /etc/docker-credential-ecr-login; \
         cp \"$1\" /etc/docker-credential-ecr-login/config.toml; shift; exec \"$@\"";
    sandbox.run_with("get", HOST, |get| {
        let mut elsewhere = Command::new("unshare");
        elsewhere.args(["--mount", "sh", "-ec", SCRIPT, "sh"]).arg(system);
        elsewhere.arg(get.get_program()).arg("get").env_clear();
        elsewhere.envs(get.get_envs().filter_map(|(name, value)| Some((name, value?))));
        *get = elsewhere;
    })
}

#[test]
fn the_users_file_goes_before_the_systems() {
    if !netns::is_possible() {
        eprintln!("skipped: needs root and unshare");
        return;
    }
    let (fake, mut sandbox) = world_with_keys();
    sandbox.aws_credentials(&(keys("prod", "AKIAPROD") + &keys("system", "AKIASYSTEM")));
    let system = sandbox.write("system.toml", entry("*", "profile = \"system\""));
    fs::set_permissions(&system, Permissions::from_mode(0o644)).unwrap();
    let key = |sandbox: &Sandbox| {
        let output = get_with_system(sandbox, &system);
        decode_password(&output.password()).access_key_id
    };
    assert_eq!(key(&sandbox), "AKIASYSTEM");
    // What the user's file says nothing of is the system's to say.
    sandbox.configure("strict = false\n");
    assert_eq!(key(&sandbox), "AKIASYSTEM");
    sandbox.configure(entry("210987654321.*", "profile = \"nowhere\""));
    assert_eq!(key(&sandbox), "AKIASYSTEM");
    sandbox.configure(PROD);
    assert_eq!(key(&sandbox), "AKIAPROD");
    let named = sandbox.write("named.toml", entry("*", ""));
    fs::set_permissions(&named, Permissions::from_mode(0o644)).unwrap();
    sandbox.env("AWS_ECR_CONFIG_FILE", named);
    assert_eq!(key(&sandbox), STATIC_KEY_ID);
    // Without a home, there is still the system's.
    sandbox.unset("HOME").unset("AWS_ECR_CONFIG_FILE");
    sandbox.env("AWS_SHARED_CREDENTIALS_FILE", sandbox.home().join(".aws/credentials"));
    assert_eq!(key(&sandbox), "AKIASYSTEM");
    let asked = fake.total();
    fs::write(&system, "strict = true\nnonsense = 1\n").unwrap();
    let faulty = "/etc/docker-credential-ecr-login/config.toml line 2: \"nonsense\"";
    assert_says(&get_with_system(&sandbox, &system), &[faulty]);
    // A global key that both have is the user's.
    sandbox.env("HOME", sandbox.home().to_owned());
    fs::write(&system, "timeout = \"10s\"\nstrict = true\n").unwrap();
    sandbox.configure("timeout = \"200ms\"\n");
    assert_eq!(sandbox.run("erase", HOST).code, Some(0));
    fake.on(ECR, Reply::hang());
    let output = get_with_system(&sandbox, &system);
    assert!(output.stdout.contains("no token after 0.2 seconds"), "{output}");
    assert_eq!(fake.total(), asked + 1);
}
