# Print an optspec for argparse to handle cmd's options that are independent of any subcommand.
function __fish_docker_credential_ecr_login_global_optspecs
    string join \n v/version h/help
end

function __fish_docker_credential_ecr_login_needs_command
    # Figure out if the current invocation already has a command.
    set -l cmd (commandline -opc)
    set -e cmd[1]
    argparse -s (__fish_docker_credential_ecr_login_global_optspecs) -- $cmd 2>/dev/null
    or return
    if set -q argv[1]
        # Also print the command, so this can be used to figure out what it is.
        echo $argv[1]
        return 1
    end
    return 0
end

function __fish_docker_credential_ecr_login_using_subcommand
    set -l cmd (__fish_docker_credential_ecr_login_needs_command)
    test -z "$cmd"
    and return 1
    contains -- $cmd[1] $argv
end

complete -c docker-credential-ecr-login -n "__fish_docker_credential_ecr_login_needs_command" -s v -l version -d 'Print the version'
complete -c docker-credential-ecr-login -n "__fish_docker_credential_ecr_login_needs_command" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c docker-credential-ecr-login -n "__fish_docker_credential_ecr_login_needs_command" -f -a "configure" -d 'Name this helper for ECR registries in docker\'s or podman\'s configuration file'
complete -c docker-credential-ecr-login -n "__fish_docker_credential_ecr_login_needs_command" -f -a "doctor" -d 'Find out why a registry gets no password, step by step'
complete -c docker-credential-ecr-login -n "__fish_docker_credential_ecr_login_needs_command" -f -a "cache" -d 'Show or clear what is cached'
complete -c docker-credential-ecr-login -n "__fish_docker_credential_ecr_login_needs_command" -f -a "get-login-password" -d 'Print a registry\'s password alone, as `aws ecr get-login-password` does'
complete -c docker-credential-ecr-login -n "__fish_docker_credential_ecr_login_needs_command" -f -a "kubelet" -d 'Answer the kubelet\'s request on stdin: a credential provider for Kubernetes nodes'
complete -c docker-credential-ecr-login -n "__fish_docker_credential_ecr_login_needs_command" -f -a "completions" -d 'Print a script that completes this command line in a shell'
complete -c docker-credential-ecr-login -n "__fish_docker_credential_ecr_login_needs_command" -f -a "get" -d 'Read a server from stdin, print its user name and password as JSON'
complete -c docker-credential-ecr-login -n "__fish_docker_credential_ecr_login_needs_command" -f -a "store" -d 'Read a login to an ECR registry as JSON from stdin, and keep it until it ends'
complete -c docker-credential-ecr-login -n "__fish_docker_credential_ecr_login_needs_command" -f -a "erase" -d 'Read a server from stdin, forget its login and cached tokens'
complete -c docker-credential-ecr-login -n "__fish_docker_credential_ecr_login_needs_command" -f -a "list" -d 'Print the registries that were asked for lately or logged in to, as JSON'
complete -c docker-credential-ecr-login -n "__fish_docker_credential_ecr_login_needs_command" -f -a "version" -d 'Print the version'
complete -c docker-credential-ecr-login -n "__fish_docker_credential_ecr_login_needs_command" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
complete -c docker-credential-ecr-login -n "__fish_docker_credential_ecr_login_using_subcommand configure" -l client -d 'The client whose file is changed' -r -f -a "docker\t'docker, and what reads its file: nerdctl, crane, oras'
podman\t'Podman, Buildah and Skopeo'"
complete -c docker-credential-ecr-login -n "__fish_docker_credential_ecr_login_using_subcommand configure" -l profile -d 'Use this AWS profile for the registries: written to our own configuration file' -r
complete -c docker-credential-ecr-login -n "__fish_docker_credential_ecr_login_using_subcommand configure" -l store -d 'Name this helper for all other registries too (credsStore); the one named before becomes our fallback'
complete -c docker-credential-ecr-login -n "__fish_docker_credential_ecr_login_using_subcommand configure" -l remove -d 'Take it back: for the registries, for all of them, or with --store for credsStore'
complete -c docker-credential-ecr-login -n "__fish_docker_credential_ecr_login_using_subcommand configure" -l dry-run -d 'Print what would change, and change nothing'
complete -c docker-credential-ecr-login -n "__fish_docker_credential_ecr_login_using_subcommand configure" -s y -l yes -d 'Ask no question'
complete -c docker-credential-ecr-login -n "__fish_docker_credential_ecr_login_using_subcommand configure" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c docker-credential-ecr-login -n "__fish_docker_credential_ecr_login_using_subcommand doctor" -l json -d 'Print JSON, for machines and bug reports'
complete -c docker-credential-ecr-login -n "__fish_docker_credential_ecr_login_using_subcommand doctor" -s h -l help -d 'Print help'
complete -c docker-credential-ecr-login -n "__fish_docker_credential_ecr_login_using_subcommand cache; and not __fish_seen_subcommand_from list clear help" -s h -l help -d 'Print help'
complete -c docker-credential-ecr-login -n "__fish_docker_credential_ecr_login_using_subcommand cache; and not __fish_seen_subcommand_from list clear help" -f -a "list" -d 'List the cached tokens and logins'
complete -c docker-credential-ecr-login -n "__fish_docker_credential_ecr_login_using_subcommand cache; and not __fish_seen_subcommand_from list clear help" -f -a "clear" -d 'Remove cached tokens and logins'
complete -c docker-credential-ecr-login -n "__fish_docker_credential_ecr_login_using_subcommand cache; and not __fish_seen_subcommand_from list clear help" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
complete -c docker-credential-ecr-login -n "__fish_docker_credential_ecr_login_using_subcommand cache; and __fish_seen_subcommand_from list" -s h -l help -d 'Print help'
complete -c docker-credential-ecr-login -n "__fish_docker_credential_ecr_login_using_subcommand cache; and __fish_seen_subcommand_from clear" -s h -l help -d 'Print help'
complete -c docker-credential-ecr-login -n "__fish_docker_credential_ecr_login_using_subcommand cache; and __fish_seen_subcommand_from help" -f -a "list" -d 'List the cached tokens and logins'
complete -c docker-credential-ecr-login -n "__fish_docker_credential_ecr_login_using_subcommand cache; and __fish_seen_subcommand_from help" -f -a "clear" -d 'Remove cached tokens and logins'
complete -c docker-credential-ecr-login -n "__fish_docker_credential_ecr_login_using_subcommand cache; and __fish_seen_subcommand_from help" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
complete -c docker-credential-ecr-login -n "__fish_docker_credential_ecr_login_using_subcommand get-login-password" -l region -d 'The region, for all private registries in it [default: AWS_REGION, else the profile\'s]' -r
complete -c docker-credential-ecr-login -n "__fish_docker_credential_ecr_login_using_subcommand get-login-password" -l profile -d 'The profile in the AWS files, in place of what the environment and config.toml say' -r
complete -c docker-credential-ecr-login -n "__fish_docker_credential_ecr_login_using_subcommand get-login-password" -l registry -d 'The registry, such as public.ecr.aws' -r
complete -c docker-credential-ecr-login -n "__fish_docker_credential_ecr_login_using_subcommand get-login-password" -s h -l help -d 'Print help'
complete -c docker-credential-ecr-login -n "__fish_docker_credential_ecr_login_using_subcommand kubelet" -s h -l help -d 'Print help'
complete -c docker-credential-ecr-login -n "__fish_docker_credential_ecr_login_using_subcommand completions" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c docker-credential-ecr-login -n "__fish_docker_credential_ecr_login_using_subcommand get" -s h -l help -d 'Print help'
complete -c docker-credential-ecr-login -n "__fish_docker_credential_ecr_login_using_subcommand store" -s h -l help -d 'Print help'
complete -c docker-credential-ecr-login -n "__fish_docker_credential_ecr_login_using_subcommand erase" -s h -l help -d 'Print help'
complete -c docker-credential-ecr-login -n "__fish_docker_credential_ecr_login_using_subcommand list" -s h -l help -d 'Print help'
complete -c docker-credential-ecr-login -n "__fish_docker_credential_ecr_login_using_subcommand version" -s h -l help -d 'Print help'
complete -c docker-credential-ecr-login -n "__fish_docker_credential_ecr_login_using_subcommand help; and not __fish_seen_subcommand_from configure doctor cache get-login-password kubelet completions get store erase list version help" -f -a "configure" -d 'Name this helper for ECR registries in docker\'s or podman\'s configuration file'
complete -c docker-credential-ecr-login -n "__fish_docker_credential_ecr_login_using_subcommand help; and not __fish_seen_subcommand_from configure doctor cache get-login-password kubelet completions get store erase list version help" -f -a "doctor" -d 'Find out why a registry gets no password, step by step'
complete -c docker-credential-ecr-login -n "__fish_docker_credential_ecr_login_using_subcommand help; and not __fish_seen_subcommand_from configure doctor cache get-login-password kubelet completions get store erase list version help" -f -a "cache" -d 'Show or clear what is cached'
complete -c docker-credential-ecr-login -n "__fish_docker_credential_ecr_login_using_subcommand help; and not __fish_seen_subcommand_from configure doctor cache get-login-password kubelet completions get store erase list version help" -f -a "get-login-password" -d 'Print a registry\'s password alone, as `aws ecr get-login-password` does'
complete -c docker-credential-ecr-login -n "__fish_docker_credential_ecr_login_using_subcommand help; and not __fish_seen_subcommand_from configure doctor cache get-login-password kubelet completions get store erase list version help" -f -a "kubelet" -d 'Answer the kubelet\'s request on stdin: a credential provider for Kubernetes nodes'
complete -c docker-credential-ecr-login -n "__fish_docker_credential_ecr_login_using_subcommand help; and not __fish_seen_subcommand_from configure doctor cache get-login-password kubelet completions get store erase list version help" -f -a "completions" -d 'Print a script that completes this command line in a shell'
complete -c docker-credential-ecr-login -n "__fish_docker_credential_ecr_login_using_subcommand help; and not __fish_seen_subcommand_from configure doctor cache get-login-password kubelet completions get store erase list version help" -f -a "get" -d 'Read a server from stdin, print its user name and password as JSON'
complete -c docker-credential-ecr-login -n "__fish_docker_credential_ecr_login_using_subcommand help; and not __fish_seen_subcommand_from configure doctor cache get-login-password kubelet completions get store erase list version help" -f -a "store" -d 'Read a login to an ECR registry as JSON from stdin, and keep it until it ends'
complete -c docker-credential-ecr-login -n "__fish_docker_credential_ecr_login_using_subcommand help; and not __fish_seen_subcommand_from configure doctor cache get-login-password kubelet completions get store erase list version help" -f -a "erase" -d 'Read a server from stdin, forget its login and cached tokens'
complete -c docker-credential-ecr-login -n "__fish_docker_credential_ecr_login_using_subcommand help; and not __fish_seen_subcommand_from configure doctor cache get-login-password kubelet completions get store erase list version help" -f -a "list" -d 'Print the registries that were asked for lately or logged in to, as JSON'
complete -c docker-credential-ecr-login -n "__fish_docker_credential_ecr_login_using_subcommand help; and not __fish_seen_subcommand_from configure doctor cache get-login-password kubelet completions get store erase list version help" -f -a "version" -d 'Print the version'
complete -c docker-credential-ecr-login -n "__fish_docker_credential_ecr_login_using_subcommand help; and not __fish_seen_subcommand_from configure doctor cache get-login-password kubelet completions get store erase list version help" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
complete -c docker-credential-ecr-login -n "__fish_docker_credential_ecr_login_using_subcommand help; and __fish_seen_subcommand_from cache" -f -a "list" -d 'List the cached tokens and logins'
complete -c docker-credential-ecr-login -n "__fish_docker_credential_ecr_login_using_subcommand help; and __fish_seen_subcommand_from cache" -f -a "clear" -d 'Remove cached tokens and logins'
complete -c docker-credential-ecr-login -n "__fish_docker_credential_ecr_login_using_subcommand completions" -f -a "bash" -d 'GNU Bash'
complete -c docker-credential-ecr-login -n "__fish_docker_credential_ecr_login_using_subcommand completions" -f -a "fish" -d 'The friendly interactive shell'
complete -c docker-credential-ecr-login -n "__fish_docker_credential_ecr_login_using_subcommand completions" -f -a "zsh" -d 'The Z shell'
