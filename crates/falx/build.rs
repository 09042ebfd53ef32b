//! Links libtorch's part for NVIDIA's cards where the feature `cuda` asks for it.

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    println!("cargo:rerun-if-env-changed=LIBTORCH");
    if std::env::var_os("CARGO_FEATURE_CUDA").is_none() {
        return;
    }
    if let Some(folder) = std::env::var_os("LIBTORCH") {
        let folder = std::path::Path::new(&folder).join("lib");
        println!("cargo:rustc-link-search=native={}", folder.display());
    }
    // Its functions register themselves when it is loaded: without a call by name a linker would drop it. What it needs in
    // turn must be there when falx runs, not here.
    for argument in [
        "-Wl,--no-as-needed",
        "-ltorch_cuda",
        "-Wl,--as-needed",
        "-Wl,--allow-shlib-undefined",
    ] {
        println!("cargo:rustc-link-arg-bins={argument}");
    }
}
