//! Tells cargo that the embedded sample and the migrations are sources too.

fn main() {
    println!("cargo::rerun-if-changed=sample");
    println!("cargo::rerun-if-changed=migrations");
}
