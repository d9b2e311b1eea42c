//! MuJoCo's models in several files: what is included, and meshes.

use crate::mjcf::{refused, try_load, worlds};
use kinarray::character::Character;
use kinarray::io::{Format, LoadOptions, Loaded, Source, load_character};
use std::path::Path;

/// A folder of its own with these files.
fn folder(name: &str, files: &[(&str, &str)]) -> std::path::PathBuf {
    let folder = std::env::temp_dir().join(format!("kinarray-mjcf-{name}-{}", std::process::id()));
    for (file, text) in files {
        let path = folder.join(file);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }
    folder
}

pub fn open(path: &Path) -> kinarray::Result<Loaded<Character>> {
    let options = LoadOptions::default();
    load_character(&Source::open(path).unwrap(), Format::Mjcf, &options)
}

const MODEL: &str = "<mujoco model='m'>
<include file='parts/defaults.xml'/>
<worldbody>
  <body name='a'><include file='parts/../parts/arm.xml'/></body>
</worldbody></mujoco>";
const DEFAULTS: &str = "<mujocoinclude><default><joint axis='1 0 0'/></default></mujocoinclude>";
const ARM: &str = "<mujocoinclude>
<joint name='j'/><body name='b'/><include file='hand.xml'/></mujocoinclude>";

#[test]
fn included_files_are_read_in_their_place() {
    let hand = "<mujocoinclude><body name='hand'><joint name='k'/></body></mujocoinclude>";
    let files = [
        ("m.xml", MODEL),
        ("parts/defaults.xml", DEFAULTS),
        ("parts/arm.xml", ARM),
        ("hand.xml", hand),
        (
            "again.xml",
            "<mujoco><include file='a.xml'/><include file='./b/../a.xml'/></mujoco>",
        ),
        ("a.xml", "<a/>"),
        (
            "circle.xml",
            "<mujoco><worldbody><body/><include file='one.xml'/></worldbody></mujoco>",
        ),
        ("one.xml", "<a><include file='two.xml'/></a>"),
        ("two.xml", "<a>\n<include file='./one.xml'/></a>"),
        (
            "itself.xml",
            "<mujoco><include file='itself.xml'/></mujoco>",
        ),
        (
            "out/out.xml",
            "<mujoco>\n<include file='../a.xml'/></mujoco>",
        ),
        ("root.xml", "<mujoco><include file='/etc/passwd'/></mujoco>"),
        ("broken.xml", "<mujoco><include file='bad.xml'/></mujoco>"),
        ("bad.xml", "<a>\n<b></a>"),
        (
            "deep.xml",
            "<mujoco><worldbody><include file='wrong.xml'/></worldbody></mujoco>",
        ),
        ("wrong.xml", "<a>\n\n<body pos='1 2'/></a>"),
    ];
    let folder = folder("includes", &files);
    let character = open(&folder.join("m.xml")).unwrap().value;
    let joints = character.skeleton.joints().iter();
    let joints: Vec<&str> = joints.map(|joint| joint.name.as_str()).collect();
    assert_eq!(joints, ["a", "b", "hand"]);
    let mut turned = worlds(&character, &[0.0, 0.5]);
    let hand = turned.pop().unwrap();
    assert!((hand[(2, 1)] - 0.5_f64.sin()).abs() < 1e-15, "{hand}");
    for (file, words) in [
        (
            "again.xml",
            "line 1, <include>: expected a file that is included once",
        ),
        (
            "circle.xml",
            "'two.xml', line 2, <include>: expected a file that is included once",
        ),
        ("itself.xml", "expected a file that is included once"),
        (
            "out/out.xml",
            "line 2, <include>: expected a relative path to a file in the same folder",
        ),
        (
            "root.xml",
            "expected a relative path to a file in the same folder",
        ),
        ("broken.xml", "'bad.xml', line 2, column"),
        (
            "deep.xml",
            "'wrong.xml', line 3, <body>: expected 3 numbers in 'pos', got 2",
        ),
    ] {
        let error = open(&folder.join(file)).unwrap_err().to_string();
        assert!(error.contains(words), "{error}\ninstead of {words}");
    }
    assert!(refused(MODEL).contains("given as bytes"));
    // Many files that each include the next, under ever more names.
    let mut many = vec![(
        "m.xml".to_owned(),
        "<mujoco><include file='0.xml'/></mujoco>".to_owned(),
    )];
    for at in 0..300 {
        let next = format!("<a><include file='{}.xml'/></a>", at + 1);
        many.push((format!("{at}.xml"), next));
    }
    let many: Vec<_> = many.iter().map(|(a, b)| (a.as_str(), b.as_str())).collect();
    let chain = self::folder("chain", &many);
    let error = open(&chain.join("m.xml")).unwrap_err().to_string();
    assert!(error.contains("at most 256 included files"), "{error}");
    std::fs::remove_dir_all(folder).unwrap();
    std::fs::remove_dir_all(chain).unwrap();
}

#[test]
fn mesh_files_are_found_where_the_compiler_says() {
    let square = "v 0 0 0\nv 1 0 0\nv 1 1 0\nv 0 1 0\nf 1 2 3 4\n";
    let model = |compiler: &str, file: &str| {
        format!(
            "<mujoco><compiler {compiler}/><asset><mesh name='s' file='{file}'/></asset><worldbody>
             <body name='a'><geom type='mesh' mesh='s' mass='1'/></body></worldbody></mujoco>"
        )
    };
    let models = [
        ("beside.xml", model("", "s.obj"), true),
        ("below.xml", model("meshdir='meshes'", "s.obj"), true),
        ("assets.xml", model("assetdir='meshes/'", "s.obj"), true),
        (
            "both.xml",
            model("assetdir='x' meshdir='meshes'", "s.obj"),
            true,
        ),
        (
            "strip.xml",
            model("meshdir='meshes' strippath='true'", "C:\\x/y/s.obj"),
            true,
        ),
        ("missing.xml", model("meshdir='none'", "s.obj"), false),
        ("kind.xml", model("", "s.msh"), false),
        ("in/out.xml", model("meshdir='..'", "s.obj"), false),
        ("absolute.xml", model("meshdir='/etc'", "s.obj"), false),
    ];
    let mut files = vec![("s.obj", square), ("meshes/s.obj", square), ("s.msh", "")];
    files.extend(models.iter().map(|(name, text, _)| (*name, text.as_str())));
    let folder = folder("meshes", &files);
    for (name, text, is_found) in &models {
        let loaded = open(&folder.join(name)).unwrap();
        let warned = |words: &str| {
            loaded
                .warnings
                .iter()
                .any(|warning| warning.contains(words))
        };
        assert_eq!(
            loaded.value.mesh.is_some(),
            *is_found,
            "{name}: {:?}",
            loaded.warnings
        );
        assert_eq!(warned("1 visual meshes are left out"), !is_found, "{name}");
        assert!(warned("1 collision meshes are left out"), "{name}");
        assert!(
            warned("1 bodies have no mass"),
            "{name}: {:?}",
            loaded.warnings
        );
        let from_bytes = try_load(text).unwrap();
        assert!(from_bytes.value.mesh.is_none());
        assert!(
            from_bytes
                .warnings
                .iter()
                .any(|warning| warning.contains("given as bytes")
                    || warning.contains("relative path"))
        );
    }
    std::fs::remove_dir_all(folder).unwrap();
}
