//! What has to be linked differently than rustc does.
//!
//! With glibc, two shared libraries are kept away from the start of the program. To find, map and relocate them takes longer than to
//! read a cached token, and neither is needed for that. With musl, the program protects its relocated data by itself.

// How a build script talks to cargo.
#![allow(clippy::print_stdout)]

use std::error::Error;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::{env, fs};

fn main() -> Result<(), Box<dyn Error>> {
    println!("cargo::rerun-if-changed=build");
    println!("cargo::rerun-if-env-changed=RUSTC_LINKER");
    let is = |variable: &str, value: &str| env::var(variable).is_ok_and(|is| is == value);
    let native = env::var("TARGET")? == env::var("HOST")?;
    if native && is("CARGO_CFG_TARGET_OS", "linux") && is("CARGO_CFG_TARGET_ENV", "gnu") {
        without_libgcc_s()?;
        without_libm()?;
    }
    if is("CARGO_CFG_TARGET_ENV", "musl") {
        with_relro()?;
    }
    Ok(())
}

/// libgcc_s is the unwinder. rustc links it by that name, and finds here first a linker script of that name, which stands for the
/// same code as archives. They come with every gcc; where they do not, nothing changes.
fn without_libgcc_s() -> Result<(), Box<dyn Error>> {
    let linker = env::var("RUSTC_LINKER").unwrap_or_else(|_| "cc".to_owned());
    let archives = ["libgcc_eh.a", "libgcc.a"].map(|name| archive(&linker, name));
    let [Some(unwinder), Some(arithmetic)] = archives else {
        return Ok(());
    };
    let directory = PathBuf::from(env::var("OUT_DIR")?).join("link");
    fs::create_dir_all(&directory)?;
    let script = format!("GROUP ( \"{}\" \"{}\" )\n", unwinder.display(), arithmetic.display());
    fs::write(directory.join("libgcc_s.so"), script)?;
    println!("cargo::rustc-link-search=native={}", directory.display());
    Ok(())
}

/// Where gcc keeps an archive; none if there is no such file. gcc gives back the bare name of what it does not find.
fn archive(linker: &str, name: &str) -> Option<PathBuf> {
    let output = Command::new(linker)
        .arg(format!("-print-file-name={name}"))
        .output()
        .ok()?;
    let path = PathBuf::from(String::from_utf8(output.stdout).ok()?.trim());
    (path.is_absolute() && Path::exists(&path)).then_some(path)
}

/// libm is linked for pow alone; with another pow before it, the linker leaves it out.
fn without_libm() -> Result<(), Box<dyn Error>> {
    cc::Build::new()
        .file("build/pow.c")
        .flag("-fno-builtin")
        .try_compile("delayed_pow")?;
    Ok(())
}

/// An object, and not a library, of which the linker would take what somebody calls.
fn with_relro() -> Result<(), Box<dyn Error>> {
    for object in cc::Build::new().file("build/relro.c").try_compile_intermediates()? {
        println!("cargo::rustc-link-arg-bins={}", object.display());
    }
    Ok(())
}
