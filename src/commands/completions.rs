//! `completions`: the scripts that packages install, for those who have no package.

use crate::command_line::Shell;

/// The shell's script. tests/generated makes it from the command line, and fails where it is not up to date.
pub fn script(shell: Shell) -> &'static str {
    match shell {
        Shell::Bash => include_str!("../../packaging/completions/docker-credential-ecr-login.bash"),
        Shell::Fish => include_str!("../../packaging/completions/docker-credential-ecr-login.fish"),
        Shell::Zsh => include_str!("../../packaging/completions/_docker-credential-ecr-login"),
    }
}
