//! The binary: see the library.

use std::process::ExitCode;

/// musl's own allocator maps and unmaps memory for every size it meets, and is slow with threads.
#[cfg(target_env = "musl")]
#[global_allocator]
static ALLOCATOR: dlmalloc::GlobalDlmalloc = dlmalloc::GlobalDlmalloc;

fn main() -> ExitCode {
    docker_credential_ecr_login::main()
}
