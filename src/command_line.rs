//! The command line as people see it. `--help`, the man page and the completions are all made from what stands here.
//!
//! What docker asks for is told apart before the parser is: see [`Verb::parse`].

use std::ffi::OsString;

use clap::{ArgAction, Args, Parser, Subcommand, ValueEnum};

use crate::env;

/// The program's name, on the command line as in docker's `docker-credential-<name>`.
pub const NAME: &str = env!("CARGO_PKG_NAME");

const ABOUT: &str = "Credential helper that logs docker and other container clients in to Amazon ECR";

const LONG_ABOUT: &str = "\
Credential helper that logs docker and other container clients in to Amazon ECR.

Container clients run it, where docker's config.json names it for a registry; this writes that:

  docker-credential-ecr-login configure 123456789012.dkr.ecr.us-east-1.amazonaws.com

AWS credentials are found as the AWS CLI finds them (AWS_PROFILE, ~/.aws, SSO, roles, ...).";

/// The command for a kubelet.
pub const KUBELET: &str = "kubelet";

/// What the name begins with under which the program is the kubelet's credential provider: AWS's own has it, and a kubelet
/// with several configurations wants several.
pub const PROVIDER: &str = "ecr-credential-provider";

/// The variables that are this program's own, and what each is for.
pub const ENVIRONMENT: [(&str, &str); 8] = [
    (
        env::AWS_ECR_CACHE_DIR,
        "cache directory: docker-credential-ecr-login in ~/.cache (macOS: ~/Library/Caches)",
    ),
    (
        env::AWS_ECR_CONFIG_FILE,
        "configuration file: docker-credential-ecr-login/config.toml in ~/.config",
    ),
    (env::AWS_ECR_DISABLE_CACHE, "any value but 0 and false: cache nothing"),
    (
        env::AWS_ECR_IGNORE_CREDS_STORAGE,
        "true: store and erase succeed and do nothing",
    ),
    (
        env::AWS_ECR_LOG,
        "off, error, warn, info, debug or trace: write helper.log in the cache directory",
    ),
    (
        env::AWS_ECR_ROLE_ARN,
        "kubelet: the role for pods whose service account names none",
    ),
    (
        env::AWS_ECR_STRICT,
        "true: print why a get failed on stdout too, as a hard error",
    ),
    (
        env::AWS_ECR_TIMEOUT,
        "time that a get may take (30s; for the kubelet 45s)",
    ),
];

const KUBELET_HELP: &str = r#"Example, as the kubelet runs it:
  echo '{"kind":"CredentialProviderRequest","apiVersion":"credentialprovider.kubelet.k8s.io/v1",
    "image":"123456789012.dkr.ecr.eu-west-1.amazonaws.com/app"}' | docker-credential-ecr-login kubelet

Started under the name ecr-credential-provider, or one that begins with it, the program does this and nothing else."#;

/// Everything that can be asked of the program.
#[derive(Debug, Parser)]
#[command(name = NAME, version, about = ABOUT, long_about = LONG_ABOUT, after_help = after_help())]
#[command(subcommand_value_name = "COMMAND", disable_version_flag = true, help_expected = true)]
pub struct CommandLine {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
    /// Print the version
    #[arg(short = 'v', long, action = ArgAction::Version)]
    version: Option<bool>,
}

/// What the program can be asked to do.
#[derive(Debug, Clone, Subcommand)]
pub enum Command {
    /// Name this helper for ECR registries in docker's or podman's configuration file
    #[command(after_help = "\
Examples:
  docker-credential-ecr-login configure 123456789012.dkr.ecr.us-east-1.amazonaws.com public.ecr.aws
  docker-credential-ecr-login configure --profile prod 123456789012.dkr.ecr.us-east-1.amazonaws.com
  docker-credential-ecr-login configure --dry-run
  docker-credential-ecr-login configure --remove

docker's file is config.json in DOCKER_CONFIG or ~/.docker; podman's is the one that REGISTRY_AUTH_FILE names, or
~/.config/containers/auth.json. All else in it stays as it is.")]
    Configure(Configure),
    /// Find out why a registry gets no password, step by step
    #[command(after_help = "\
Example, with a line for each step and what to do where one fails:
  docker-credential-ecr-login doctor 123456789012.dkr.ecr.eu-west-1.amazonaws.com

It asks AWS and the registry, prints no secret, and exits 0 only if nothing failed.")]
    Doctor(Doctor),
    /// Show or clear what is cached
    #[command(subcommand)]
    #[command(after_help = "\
Example:
  docker-credential-ecr-login cache list

What root's kubelet got is in a directory of its own:
  AWS_ECR_CACHE_DIR=/run/docker-credential-ecr-login docker-credential-ecr-login cache list")]
    Cache(Cache),
    /// Print a registry's password alone, as `aws ecr get-login-password` does
    #[command(after_help = "\
Example:
  docker-credential-ecr-login get-login-password --region eu-west-1 |
    docker login --username AWS --password-stdin 123456789012.dkr.ecr.eu-west-1.amazonaws.com

The password comes from the cache where there is one. Where credentials need the code of an MFA device, this asks
for it, and clients find the password in the cache from then on.")]
    GetLoginPassword(GetLoginPassword),
    /// Answer the kubelet's request on stdin: a credential provider for Kubernetes nodes
    #[command(after_help = KUBELET_HELP)]
    Kubelet {
        /// Accepted for the configurations of AWS's ecr-credential-provider (get-credentials), and ignored
        #[arg(value_name = "ARGUMENT")]
        arguments: Vec<String>,
    },
    /// Print a script that completes this command line in a shell
    #[command(after_help = "\
Packages install them. Without one, for bash, which looks in that folder by itself:
  mkdir -p ~/.local/share/bash-completion/completions
  docker-credential-ecr-login completions bash > ~/.local/share/bash-completion/completions/docker-credential-ecr-login

fish looks in ~/.config/fish/completions for docker-credential-ecr-login.fish, zsh in the folders of $fpath for
_docker-credential-ecr-login.")]
    Completions {
        /// The shell
        shell: Shell,
    },
    /// What docker asks for.
    #[command(flatten)]
    Docker(Verb),
}

/// What `configure` is to do.
#[derive(Debug, Clone, Args)]
pub struct Configure {
    /// Registries, by host name; without one, your account's own (AWS is asked which that is) and public.ecr.aws
    #[arg(value_name = "REGISTRY")]
    pub registries: Vec<String>,
    /// The client whose file is changed
    #[arg(long, value_enum, default_value_t = Client::Docker)]
    pub client: Client,
    /// Use this AWS profile for the registries: written to our own configuration file
    #[arg(long, value_name = "NAME")]
    pub profile: Option<String>,
    /// Name this helper for all other registries too (credsStore); the one named before becomes our fallback
    #[arg(long)]
    pub store: bool,
    /// Take it back: for the registries, for all of them, or with --store for credsStore
    #[arg(long)]
    pub remove: bool,
    /// Print what would change, and change nothing
    #[arg(long)]
    pub dry_run: bool,
    /// Ask no question
    #[arg(short, long)]
    pub yes: bool,
}

/// Clients whose files we can write.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Client {
    /// docker, and what reads its file: nerdctl, crane, oras
    Docker,
    /// Podman, Buildah and Skopeo
    Podman,
}

/// What `doctor` is told.
#[derive(Debug, Clone, Args)]
pub struct Doctor {
    /// The registry; without it, the first that docker asks this helper for, else the account's own
    pub registry: Option<String>,
    /// Print JSON, for machines and bug reports
    #[arg(long)]
    pub json: bool,
}

/// What is done with the cache.
#[derive(Debug, Clone, Subcommand)]
pub enum Cache {
    /// List the cached tokens and logins
    #[command(after_help = "Example:\n  docker-credential-ecr-login cache list")]
    List,
    /// Remove cached tokens and logins
    #[command(after_help = "\
Example, for the tokens of that registry's region and the login to it:
  docker-credential-ecr-login cache clear 123456789012.dkr.ecr.eu-west-1.amazonaws.com")]
    Clear {
        /// The registry; without it, everything is removed
        registry: Option<String>,
    },
}

/// What `get-login-password` is told.
#[derive(Debug, Clone, Args)]
pub struct GetLoginPassword {
    /// The region, for all private registries in it [default: AWS_REGION, else the profile's]
    #[arg(long, conflicts_with = "registry")]
    pub region: Option<String>,
    /// The profile in the AWS files, in place of what the environment and config.toml say
    #[arg(long)]
    pub profile: Option<String>,
    /// The registry, such as public.ecr.aws
    #[arg(long, value_name = "HOST")]
    pub registry: Option<String>,
}

/// The verbs of docker's credential helper protocol.
#[derive(Debug, Clone, Copy, Subcommand)]
pub enum Verb {
    /// Read a server from stdin, print its user name and password as JSON
    #[command(after_help = "\
Example, which also shows why docker gets no password, if it gets none:
  printf 123456789012.dkr.ecr.us-east-1.amazonaws.com | docker-credential-ecr-login get")]
    Get,
    /// Read a login to an ECR registry as JSON from stdin, and keep it until it ends
    #[command(after_help = "\
docker login runs it:
  aws ecr get-login-password | docker login --username AWS --password-stdin 123456789012.dkr.ecr.us-east-1.amazonaws.com")]
    Store,
    /// Read a server from stdin, forget its login and cached tokens
    #[command(after_help = "\
docker logout runs it. Example:
  printf 123456789012.dkr.ecr.us-east-1.amazonaws.com | docker-credential-ecr-login erase")]
    Erase,
    /// Print the registries that were asked for lately or logged in to, as JSON
    #[command(after_help = "Example:\n  docker-credential-ecr-login list")]
    List,
    /// Print the version
    #[command(after_help = "Example:\n  docker-credential-ecr-login version")]
    Version,
}

/// Shells that scripts are there for.
#[derive(Debug, Clone, Copy, ValueEnum)]
pub enum Shell {
    /// GNU Bash
    Bash,
    /// The friendly interactive shell
    Fish,
    /// The Z shell
    Zsh,
}

impl Verb {
    /// The verb, where the arguments are one of docker's and nothing else. A cached answer is not to wait for a parser.
    pub fn parse(args: &[OsString]) -> Option<Self> {
        let [verb] = args else { return None };
        Some(match verb.to_str()? {
            "get" => Self::Get,
            "store" => Self::Store,
            "erase" => Self::Erase,
            "list" => Self::List,
            "version" | "--version" | "-v" => Self::Version,
            _ => return None,
        })
    }
}

impl Verb {
    /// The verb as clients write it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Get => "get",
            Self::Store => "store",
            Self::Erase => "erase",
            Self::List => "list",
            Self::Version => "version",
        }
    }
}

fn after_help() -> String {
    let lines = ENVIRONMENT.map(|(name, meaning)| format!("\n  {name:<29} {meaning}"));
    format!(
        "Environment:{}\n\nTo see why docker gets no password:\n  {NAME} doctor HOST",
        lines.concat()
    )
}
