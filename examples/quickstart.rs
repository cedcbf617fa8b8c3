//! The main job in one command, with nothing to set up: `cargo run --release --example quickstart`.
//!
//! Starts a fake ECR on loopback, then asks for a registry's password as docker does: the server's name on the stdin of a
//! process of its own. The first `get` asks the fake; the second is answered from the cache, without any request.
//!
//! `cargo run --example` builds the library and not the binary, so the process is this very program again: where it is given
//! a verb, it is the helper.

#![allow(clippy::print_stdout, clippy::unwrap_used)]

#[path = "../tests/support/mod.rs"]
mod support;

use std::process::ExitCode;
use std::time::Duration;

use support::{FakeAws, Output, Sandbox, decode_password};

const HOST: &str = "123456789012.dkr.ecr.us-east-1.amazonaws.com";

fn main() -> ExitCode {
    if std::env::args_os().len() > 1 {
        return docker_credential_ecr_login::main();
    }
    let fake = FakeAws::start();
    let mut sandbox = Sandbox::of_program(std::env::current_exe().unwrap());
    sandbox.use_static_keys().point_at(&fake);

    println!(
        "A fake Amazon ECR answers at {}; nothing leaves this machine.\n",
        fake.url()
    );
    let first = show("The first get asks ECR", &fake, || sandbox.get(HOST));
    let second = show("The second is answered from the cache", &fake, || sandbox.get(HOST));
    let other = "210987654321.dkr.ecr.us-east-1.amazonaws.com";
    show("So is another account's registry in that region", &fake, || {
        sandbox.get(other)
    });

    let ratio = first.as_secs_f64() / second.as_secs_f64();
    println!(
        "The cached answer took {} and was {ratio:.0} times faster.",
        millis(second)
    );
    if fake.total() != 1 {
        println!("But ECR was asked {} times, not once.", fake.total());
        return ExitCode::FAILURE;
    }
    ExitCode::SUCCESS
}

/// Runs a `get` and shows what docker would see of it.
fn show(what: &str, fake: &FakeAws, get: impl FnOnce() -> Output) -> Duration {
    let before = fake.total();
    let output = get();
    let token = decode_password(&output.password());
    println!("{what}:");
    println!("  $ printf {} | docker-credential-ecr-login get", output.server_url());
    println!("  {}", shortened(&output.stdout));
    println!(
        "  {}, {} request(s) to ECR; token number {} for {}, of {}\n",
        millis(output.elapsed),
        fake.total() - before,
        token.serial,
        token.region,
        token.access_key_id
    );
    output.elapsed
}

/// The answer, with most of the password left out.
fn shortened(answer: &str) -> String {
    let (head, secret) = answer.trim().split_once("\"Secret\":\"").unwrap();
    format!("{head}\"Secret\":\"{}…\"}}", secret.get(..16).unwrap())
}

fn millis(duration: Duration) -> String {
    format!("{:.1} ms", duration.as_secs_f64() * 1000.0)
}
