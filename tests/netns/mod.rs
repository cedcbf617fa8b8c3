//! Runs a test once more in a network and a table of hosts of its own, where the fixed addresses
//! of AWS exist on loopback and nothing else does. Linux and root only; elsewhere the test is skipped.

#![allow(dead_code, unreachable_pub, missing_docs)]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::print_stderr)]

use std::env;
use std::io;
use std::net::{Shutdown, TcpListener, TcpStream};
use std::process::Command;
use std::thread;

const MARK: &str = "ECR_LOGIN_TEST_IN_OWN_NETWORK";

/// 10.9.8.7 is everybody else; the others are ECS, EKS and instance metadata. `HOSTS` are names for it.
const SCRIPT: &str = r#"
ip link set lo up
for address in 169.254.170.2 169.254.170.23 169.254.169.254 10.9.8.7; do
    ip address add $address/32 dev lo
done
for address in fd00:ec2::23 fd00:ec2::254; do ip address add $address/128 dev lo || true; done
hosts=$(mktemp)
echo "127.0.0.1 localhost" > "$hosts"
for name in $HOSTS; do echo "10.9.8.7 $name" >> "$hosts"; done
mount --bind "$hosts" /etc/hosts
rm "$hosts"
exec "$0" --exact "$1" --nocapture --test-threads=1
"#;

/// Whether this is the inner run; the outer one has then been made of it and only returns.
pub fn entered(test: &str, hosts: &[&str]) -> bool {
    if env::var_os(MARK).is_some() {
        return true;
    }
    if !is_possible() {
        eprintln!("skipped: {test} needs root, unshare and ip");
        return false;
    }
    let inner = Command::new("unshare")
        .args(["--net", "--mount", "sh", "-ec", SCRIPT])
        .arg(env::current_exe().expect("the test's own file"))
        .arg(test)
        .env(MARK, "1")
        .env("HOSTS", hosts.join(" "))
        .output()
        .expect("unshare");
    let said = String::from_utf8_lossy(&inner.stdout);
    let complained = String::from_utf8_lossy(&inner.stderr);
    assert!(
        inner.status.success() && said.contains("1 passed"),
        "in a network of its own:\n{said}\n{complained}"
    );
    false
}

/// Whether a process can be put into a network of its own.
pub fn is_possible() -> bool {
    let succeeds = |program: &str, arguments: &[&str]| {
        let output = Command::new(program).args(arguments).output();
        output.is_ok_and(|output| output.status.success())
    };
    cfg!(target_os = "linux") && succeeds("unshare", &["--net", "--mount", "true"]) && succeeds("ip", &["-V"])
}

/// Passes what comes to `address` on to the server at `url` (`http://127.0.0.1:PORT`), until the process ends. False
/// where there is no such address, as with IPv6 turned off.
pub fn relay(address: &str, url: &str) -> bool {
    let Ok(listener) = TcpListener::bind(address) else {
        return false;
    };
    let target = url.trim_start_matches("http://").to_owned();
    thread::spawn(move || {
        for client in listener.incoming().flatten() {
            let server = TcpStream::connect(&target).expect("the server that is relayed to");
            pass(&client, &server);
            pass(&server, &client);
        }
    });
    true
}

fn pass(from: &TcpStream, to: &TcpStream) {
    let (mut from, mut to) = (from.try_clone().unwrap(), to.try_clone().unwrap());
    thread::spawn(move || {
        io::copy(&mut from, &mut to).ok();
        to.shutdown(Shutdown::Write).ok();
    });
}
