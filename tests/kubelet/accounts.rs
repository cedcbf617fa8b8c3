//! Service account tokens: whose role is assumed with them, what is shared and what is not.

use std::time::Duration;

use crate::node::{
    ANNOTATION, Account, ECR, ECR_PUBLIC, HOST, ROLE, WEB_IDENTITY, ask, complaint, node, node_with_keys, password,
    reach_by_names, request, request_of, start,
};
use crate::support::{FakeAws, Reply, Running, STATIC_KEY_ID, Sandbox, decode_password};

const IMAGE: &str = "123456789012.dkr.ecr.us-east-1.amazonaws.com/app";
const OTHER_ROLE: &str = "arn:aws:iam::210987654321:role/team/other";

fn puller() -> Account {
    Account::new("team-a", "puller")
}

/// What STS was asked for last.
fn exchange(fake: &FakeAws, field: &str) -> String {
    let request = fake.requests_to(WEB_IDENTITY).pop().expect("a request to STS");
    assert_eq!(request.access_key_id, None, "the token is the proof");
    request.form()[field].clone()
}

/// The key that the token in the answer was asked for with.
fn key(sandbox: &Sandbox, token: &str, role: Option<&str>) -> String {
    let output = ask(sandbox, &request_of(IMAGE, token, role));
    decode_password(&password(&output, HOST)).access_key_id
}

#[test]
fn the_role_of_the_annotation_is_assumed_with_the_token_alone() {
    let (fake, mut sandbox) = node_with_keys();
    sandbox
        .env("AWS_ECR_ROLE_ARN", OTHER_ROLE)
        .env("AWS_PROFILE", "missing")
        .env("AWS_ROLE_ARN", OTHER_ROLE);
    let token = puller().token("pod-1");
    let key = key(&sandbox, &token, Some(ROLE));
    assert!(key.starts_with("ASIA"), "{key}");
    assert_eq!(exchange(&fake, "RoleArn"), ROLE);
    assert_eq!(exchange(&fake, "WebIdentityToken"), token);
    assert_eq!(exchange(&fake, "RoleSessionName"), "puller@team-a");
    assert_eq!(fake.total(), 2);
}

#[test]
fn without_an_annotation_the_role_of_the_variable_is() {
    let (fake, mut sandbox) = node_with_keys();
    sandbox.env("AWS_ECR_ROLE_ARN", OTHER_ROLE);
    for role in [None, Some(""), Some(" ")] {
        let name = format!("puller-{}", role.unwrap_or("none").len());
        key(&sandbox, &Account::new("team-a", &name).token("pod"), role);
        assert_eq!(exchange(&fake, "RoleArn"), OTHER_ROLE);
    }
    key(&sandbox, &puller().token("pod"), Some(&format!("{ROLE}\n")));
    assert_eq!(exchange(&fake, "RoleArn"), ROLE, "a block of YAML ends its line");
}

#[test]
fn without_any_role_the_node_pulls() {
    let (fake, mut sandbox) = node_with_keys();
    sandbox.env("AWS_ECR_LOG", "info");
    assert_eq!(key(&sandbox, &puller().token("pod"), None), STATIC_KEY_ID);
    assert_eq!(fake.count(WEB_IDENTITY), 0);
    let log = std::fs::read_to_string(sandbox.cache_dir().join("helper.log")).unwrap();
    assert!(log.contains("service account token came without a role"), "{log}");
}

#[test]
fn a_role_without_a_token_is_not_assumed() {
    let (fake, mut sandbox) = node_with_keys();
    sandbox.env("AWS_ECR_ROLE_ARN", ROLE);
    for request in [request(IMAGE), request_of(IMAGE, "", Some(ROLE))] {
        assert_eq!(
            decode_password(&password(&ask(&sandbox, &request), HOST)).access_key_id,
            STATIC_KEY_ID
        );
    }
    assert_eq!(fake.count(WEB_IDENTITY), 0);
}

#[test]
fn a_role_that_cannot_be_assumed_is_never_replaced_by_the_nodes() {
    let (fake, sandbox) = node_with_keys();
    for (status, code, message, advice) in [
        (
            403,
            "AccessDenied",
            "Not authorized to perform sts:AssumeRoleWithWebIdentity",
            "trust policy",
        ),
        (
            400,
            "InvalidIdentityToken",
            "No OpenIDConnect provider found",
            "identity provider",
        ),
        (400, "ExpiredTokenException", "Token expired", "clock"),
        (500, "InternalFailure", "not today", "try again"),
    ] {
        fake.on(WEB_IDENTITY, Reply::aws_error(status, code, message));
        let line = complaint(&ask(&sandbox, &request_of(IMAGE, &puller().token("pod"), Some(ROLE))));
        for part in ["service account team-a/puller", ROLE, message, advice] {
            assert!(line.contains(part), "{part}\n{line}");
        }
    }
    assert_eq!(fake.count(ECR), 0);
    assert!(sandbox.entries().is_empty());
}

#[test]
fn a_denied_account_is_told_its_subject() {
    let (fake, sandbox) = node();
    fake.on(WEB_IDENTITY, Reply::aws_error(403, "AccessDenied", "no"));
    let line = complaint(&ask(&sandbox, &request_of(IMAGE, &puller().token("pod"), Some(ROLE))));
    assert!(line.contains("system:serviceaccount:team-a:puller"), "{line}");
}

#[test]
fn a_role_that_is_none_is_named_with_its_place() {
    let (fake, mut sandbox) = node_with_keys();
    for role in [
        "arn:expected",
        "pull",
        "arn:aws:iam::123456789012:user/pull",
        "arn:aws:iam::123456789012:role/a b",
    ] {
        let line = complaint(&ask(&sandbox, &request_of(IMAGE, &puller().token("pod"), Some(role))));
        assert!(line.contains(ANNOTATION) && line.contains(role), "{line}");
    }
    sandbox.env("AWS_ECR_ROLE_ARN", "pull");
    let line = complaint(&ask(&sandbox, &request_of(IMAGE, &puller().token("pod"), None)));
    assert!(line.contains("AWS_ECR_ROLE_ARN is \"pull\""), "{line}");
    assert_eq!(fake.total(), 0);
}

#[test]
fn pods_of_one_account_share_a_token_whatever_their_own_say() {
    let (fake, sandbox) = node();
    let first = key(&sandbox, &puller().token("pod-1"), Some(ROLE));
    for pod in ["pod-2", "pod-3"] {
        let renewed = puller()
            .with("/exp", 4_100_000_000_u64)
            .with("/iat", 1_800_000_000)
            .token(pod);
        assert_eq!(key(&sandbox, &renewed, Some(ROLE)), first);
    }
    assert_eq!((fake.count(WEB_IDENTITY), fake.count(ECR)), (1, 1));
}

#[test]
fn what_makes_another_account_of_it_makes_another_token() {
    let (fake, sandbox) = node();
    let account = puller();
    let renamed = |namespace: &str, name: &str| {
        puller()
            .with("/kubernetes.io/namespace", namespace)
            .with("/kubernetes.io/serviceaccount/name", name)
            .with("/sub", format!("system:serviceaccount:{namespace}:{name}"))
    };
    let accounts = [
        account.clone(),
        account.clone().with("/iss", "https://oidc.example"),
        account.clone().with("/aud", "ecr.example"),
        account
            .clone()
            .with("/aud", serde_json::json!(["sts.amazonaws.com", "ecr.example"])),
        account.clone().with("/kubernetes.io/serviceaccount/uid", "another"),
        renamed("team-b", "puller"),
        renamed("team-a", "pusher"),
        renamed("team", "a-puller"),
    ];
    for (count, account) in accounts.iter().enumerate() {
        key(&sandbox, &account.token("pod"), Some(ROLE));
        assert_eq!(fake.count(ECR), count + 1);
    }
    key(&sandbox, &account.token("pod"), Some(OTHER_ROLE));
    assert_eq!(fake.count(ECR), accounts.len() + 1, "another role");
    assert_eq!(sandbox.entries().len(), accounts.len() + 1);
}

#[test]
fn the_node_and_its_pods_never_share() {
    let (fake, sandbox) = node_with_keys();
    let own = decode_password(&password(&ask(&sandbox, &request(IMAGE)), HOST)).access_key_id;
    assert_ne!(key(&sandbox, &puller().token("pod"), Some(ROLE)), own);
    assert_eq!(decode_password(&sandbox.get(HOST).password()).access_key_id, own);
    assert_eq!(fake.count(ECR), 2);
}

#[test]
fn a_token_that_is_over_is_no_key_to_the_cache() {
    let (fake, sandbox) = node();
    key(&sandbox, &puller().token("pod-1"), Some(ROLE));
    let over = puller().with("/exp", 1_700_000_000).token("pod-2");
    key(&sandbox, &over, Some(ROLE));
    assert_eq!(fake.count(WEB_IDENTITY), 2, "STS is asked what it thinks of it");
    fake.on(
        WEB_IDENTITY,
        Reply::aws_error(400, "ExpiredTokenException", "Token expired"),
    );
    complaint(&ask(&sandbox, &request_of(IMAGE, &over, Some(ROLE))));
    key(&sandbox, &puller().token("pod-3"), Some(ROLE));
    assert_eq!(fake.count(WEB_IDENTITY), 3, "the cached token is still there");
}

#[test]
fn an_opaque_token_is_known_by_its_bytes() {
    let (fake, sandbox) = node();
    let contradictory = puller().with("/sub", "system:serviceaccount:team-b:puller");
    let tokens = [
        "opaque".to_owned(),
        "opaquf".to_owned(),
        contradictory.token("1"),
        contradictory.token("2"),
    ];
    for _ in 0..2 {
        for token in &tokens {
            key(&sandbox, token, Some(ROLE));
        }
    }
    assert_eq!((fake.count(WEB_IDENTITY), fake.count(ECR)), (4, 4));
    let cached = sandbox
        .entries()
        .iter()
        .map(|path| std::fs::read_to_string(path).unwrap())
        .collect::<String>();
    assert!(
        !tokens.iter().any(|token| cached.contains(token.as_str())),
        "only its hash is kept"
    );
}

#[test]
fn what_is_over_opens_nothing_even_where_nothing_else_can_be_read() {
    let (fake, sandbox) = node();
    let over = puller()
        .with("/exp", 1_700_000_000)
        .with("/sub", "system:serviceaccount:team-b:puller");
    for _ in 0..2 {
        key(&sandbox, &over.token("pod"), Some(ROLE));
    }
    assert_eq!(fake.count(WEB_IDENTITY), 2);
    assert!(sandbox.entries().is_empty());
}

#[test]
fn the_nodes_own_credentials_are_no_part_of_a_pods() {
    let (fake, mut sandbox) = node();
    let first = key(&sandbox, &puller().token("pod-1"), Some(ROLE));
    sandbox.use_static_keys();
    assert_eq!(key(&sandbox, &puller().token("pod-2"), Some(ROLE)), first);
    sandbox.env("AWS_ACCESS_KEY_ID", "AKIAOTHER");
    assert_eq!(key(&sandbox, &puller().token("pod-3"), Some(ROLE)), first);
    assert_eq!(fake.count(WEB_IDENTITY), 1);
}

#[test]
fn a_role_is_named_beside_long_names() {
    let (fake, sandbox) = node();
    let role = "arn:aws:iam::123456789012:role/eks/prod-eu-west-1/ecr-pull-monitoring";
    fake.on(
        WEB_IDENTITY,
        Reply::aws_error(
            403,
            "AccessDenied",
            "Not authorized to perform sts:AssumeRoleWithWebIdentity",
        ),
    );
    let token = Account::new("monitoring", "kube-prometheus-stack-prometheus").token("pod");
    let line = complaint(&ask(&sandbox, &request_of(IMAGE, &token, Some(role))));
    for part in [
        role,
        "monitoring/kube-prometheus-stack-prometheus",
        "access denied",
        "trust policy",
    ] {
        assert!(line.contains(part), "{part}\n{line}");
    }
}

#[test]
fn fifty_pods_of_two_accounts_cost_two_calls() {
    let (fake, sandbox) = node();
    fake.on(WEB_IDENTITY, Reply::normal().after(Duration::from_millis(300)));
    let account = |pod: usize| Account::new("team-a", ["one", "two"][pod % 2]);
    let running: Vec<_> = (0..50)
        .map(|pod| {
            request_of(
                &format!("{IMAGE}-{pod}"),
                &account(pod).token(&pod.to_string()),
                Some(ROLE),
            )
        })
        .map(|request| start(&sandbox, &request))
        .collect();
    for output in running.into_iter().map(Running::wait) {
        password(&output, HOST);
    }
    assert_eq!((fake.count(WEB_IDENTITY), fake.count(ECR)), (2, 2));
}

#[test]
fn public_ecr_takes_the_role_too_and_is_not_left_open_where_that_fails() {
    let (fake, sandbox) = node();
    let asked = request_of("public.ecr.aws/app", &puller().token("pod"), Some(ROLE));
    password(&ask(&sandbox, &asked), "public.ecr.aws");
    assert_eq!((fake.count(WEB_IDENTITY), fake.count(ECR_PUBLIC)), (1, 1));
    fake.on(WEB_IDENTITY, Reply::aws_error(403, "AccessDenied", "no"));
    complaint(&ask(
        &sandbox,
        &request_of("public.ecr.aws/app", &puller().token("pod"), Some(OTHER_ROLE)),
    ));
}

#[test]
fn sts_is_that_of_the_registrys_region() {
    let (fake, mut sandbox) = node();
    let proxy = reach_by_names(&mut sandbox, &fake);
    for (host, sts) in [
        (
            "123456789012.dkr.ecr.eu-west-1.amazonaws.com",
            "sts.eu-west-1.amazonaws.com",
        ),
        (
            "123456789012.dkr.ecr.cn-north-1.amazonaws.com.cn",
            "sts.cn-north-1.amazonaws.com.cn",
        ),
        ("public.ecr.aws", "sts.us-east-1.amazonaws.com"),
    ] {
        let before = proxy.connects().len();
        let output = ask(
            &sandbox,
            &request_of(&format!("{host}/app"), &puller().token("pod"), Some(ROLE)),
        );
        password(&output, host);
        assert_eq!(proxy.connects()[before], format!("{sts}:443"));
    }
}

#[test]
fn what_config_toml_says_of_credentials_is_about_the_node() {
    let (fake, sandbox) = node_with_keys();
    sandbox.configure(format!(
        "[[registry]]\nmatch = \"hub.corp.example\"\necr = \"{HOST}\"\nrole_arn = \"{OTHER_ROLE}\"\n"
    ));
    let image = "hub.corp.example/app";
    let output = ask(&sandbox, &request_of(image, &puller().token("pod"), Some(ROLE)));
    password(&output, "hub.corp.example");
    assert_eq!(
        (exchange(&fake, "RoleArn").as_str(), fake.count("sts:AssumeRole")),
        (ROLE, 0)
    );
    password(&ask(&sandbox, &request(image)), "hub.corp.example");
    assert_eq!(fake.requests_to("sts:AssumeRole")[0].form()["RoleArn"], OTHER_ROLE);
}

#[test]
fn a_damaged_aws_file_is_in_nobodys_way() {
    let (_fake, sandbox) = node();
    sandbox.aws_config("[profile\nnonsense");
    key(&sandbox, &puller().token("pod"), Some(ROLE));
}

#[test]
fn a_long_name_makes_a_session_name_that_sts_takes() {
    let (fake, sandbox) = node();
    let account = Account::new("team-a", &"long-name.".repeat(20).replace(".l", ".x"));
    key(&sandbox, &account.token("pod"), Some(ROLE));
    let name = exchange(&fake, "RoleSessionName");
    assert!(
        name.len() == 64 && name.starts_with("long-name") && name.ends_with("@team-a"),
        "{name}"
    );
}

#[test]
fn a_token_is_seen_nowhere() {
    let (fake, mut sandbox) = node();
    sandbox.env("AWS_ECR_LOG", "trace");
    let token = puller().token("pod-whose-name-is-the-signature");
    let (payload, signature) = (token.split('.').nth(1).unwrap(), token.rsplit('.').next().unwrap());
    let mut seen = String::new();
    key(&sandbox, &token, Some(ROLE));
    for reply in [
        Reply::aws_error(400, "InvalidIdentityToken", &format!("bad token {token}")),
        Reply::raw(200, "text/xml", token.clone()),
        Reply::raw(500, "text/plain", token.clone()),
    ] {
        fake.on(WEB_IDENTITY, reply);
        seen += &complaint(&ask(&sandbox, &request_of(IMAGE, &token, Some(OTHER_ROLE))));
    }
    for file in std::fs::read_dir(sandbox.cache_dir()).unwrap() {
        seen += &std::fs::read_to_string(file.unwrap().path()).unwrap();
    }
    assert!(seen.contains("service account team-a/puller"), "{seen}");
    for secret in [&token, payload, signature] {
        assert!(!seen.contains(secret), "{secret}\n{seen}");
    }
}

#[test]
fn cache_list_tells_whose_a_token_is_and_dockers_list_leaves_it_out() {
    let (_fake, sandbox) = node();
    key(&sandbox, &puller().token("pod"), Some(ROLE));
    let listed = sandbox.run_args(&["cache", "list"]);
    assert!(listed.stdout.contains("service account team-a/puller"), "{listed}");
    assert_eq!(sandbox.run("list", "").stdout, "{}\n");
}
