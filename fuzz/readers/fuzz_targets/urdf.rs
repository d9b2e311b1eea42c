//! A robot and the one mesh file that it may name: the description, a zero byte, the mesh.

#![no_main]

use kinarray::io::{LoadOptions, Source, urdf};
use libfuzzer_sys::fuzz_target;
use std::fs;

fuzz_target!(|bytes: &[u8]| {
    let cut = bytes.iter().position(|&byte| byte == 0).unwrap_or(bytes.len());
    let (text, rest) = bytes.split_at(cut);
    let options = LoadOptions::default();
    if rest.len() < 2 {
        let _ = urdf::load_character(&Source::from_bytes(text), &options);
        return;
    }
    let folder = std::env::temp_dir().join(format!("kinarray-fuzz-urdf-{}", std::process::id()));
    fs::create_dir_all(&folder).unwrap();
    for name in ["mesh.stl", "mesh.obj", "mesh.glb"] {
        fs::write(folder.join(name), &rest[1..]).unwrap();
    }
    let path = folder.join("robot.urdf");
    fs::write(&path, text).unwrap();
    let _ = urdf::load_character(&Source::open(&path).unwrap(), &options);
});
