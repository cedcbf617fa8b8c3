//! `kubelet`: a credential provider for the kubelet of a Kubernetes node.

mod image;
mod wire;

use std::io::{self, IsTerminal};
use std::process::ExitCode;
use std::time::SystemTime;

use crate::command_line::KUBELET;
use crate::config::{Settings, Target};
use crate::docker;
use crate::env::{self, Env};
use crate::error::{Failure, Reason, truncate};
use crate::helper::Helper;
use crate::input;
use crate::output::{fail, finish, say};
use crate::registry::Service;
use crate::service_account::ServiceAccount;
use crate::tokens::Grant;
use crate::who::{Role, Who};

use wire::{ROLE_ANNOTATION, Request};

/// Answers the request on stdin. The kubelet shows what stands on stderr if the exit code is not 0, and takes nothing from
/// stdout then.
pub fn answer() -> ExitCode {
    if io::stdin().is_terminal() {
        say("reading a CredentialProviderRequest from the terminal (--help shows one)");
    }
    let request = input::read().and_then(|input| Request::parse(&input));
    let request = match request {
        Ok(request) => request,
        Err(what) => {
            let advice = "the kubelet runs this command, and writes a CredentialProviderRequest to its stdin";
            return fail(KUBELET, &Failure::new(Reason::Configuration, what, advice));
        }
    };
    match grant(&request) {
        Ok(grant) => finish(
            &wire::answer(&request, grant.as_ref(), SystemTime::now()),
            ExitCode::SUCCESS,
        ),
        Err(failure) => fail(&truncate(&request.image.registry, 100), &for_node(failure)),
    }
}

/// What opens the image's registry; none where that is not ECR, or opens by itself.
fn grant(request: &Request) -> Result<Option<Grant>, Failure> {
    let settings = Settings::load_for_kubelet(Env::from_process())?;
    let Some(target) = settings.target(&request.image.host) else {
        return Ok(None);
    };
    let target = Target {
        who: who(request, settings.env(), target.who)?,
        registry: target.registry,
    };
    let log = docker::log(&settings);
    if request.token.is_some() && target.who.service_account().is_none() {
        log.info(|| {
            format!(
                "{}: a service account token came without a role, and is not used",
                target.registry
            )
        });
    }
    match Helper::new(settings, log).saying(say).token(&target) {
        Ok(grant) => Ok(Some(grant)),
        Err(failure) if is_open(&target, &failure) => Ok(None),
        Err(failure) => Err(failure),
    }
}

/// Whose credentials: the pod's service account where its token came and a role is named for it, else those of the node.
fn who(request: &Request, env: &Env, nodes: Who) -> Result<Who, Failure> {
    let Some(token) = &request.token else {
        return Ok(nodes);
    };
    let default = || {
        let role = env.get(env::AWS_ECR_ROLE_ARN)?.trim().to_owned();
        Some(role).filter(|role| !role.is_empty())
    };
    let (role, named_in) = match &request.role {
        Some(role) => (Some(role.clone()), format!("the annotation {ROLE_ANNOTATION}")),
        None => (default(), env::AWS_ECR_ROLE_ARN.to_owned()),
    };
    match role {
        None => Ok(nodes),
        Some(role) if Role::is_arn(&role) => {
            Ok(Who::ServiceAccount(Box::new(ServiceAccount::new(role, token.clone()))))
        }
        Some(role) => Err(Failure::new(
            Reason::Configuration,
            format!("{named_in} is {:?}, which is no role's ARN", truncate(&role, 150)),
            "name one such as arn:aws:iam::123456789012:role/name",
        )),
    }
}

/// Whether the registry hands out images to everybody, and nobody was chosen who should have had credentials.
fn is_open(target: &Target, failure: &Failure) -> bool {
    target.registry.service() == Service::Public
        && target.who == Who::Environment
        && failure.reason == Reason::NoCredentials
}

/// What a person at a terminal would do is no help on a node.
fn for_node(failure: Failure) -> Failure {
    let advice = match failure.reason {
        Reason::NoCredentials => {
            "give this node's instance a role that allows ecr:GetAuthorizationToken, check that instance metadata can be reached, \
             or name other credentials in the provider's env"
        }
        Reason::Deadline => "see why that takes so long; AWS_ECR_TIMEOUT may allow up to 45 seconds",
        _ => return failure,
    };
    Failure {
        advice: advice.to_owned(),
        ..failure
    }
}
