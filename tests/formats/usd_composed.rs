//! USD files in several layers: what is brought in, and what is not.

use crate::common::{morphed, posed, skinned};
use crate::usd_handmade::{TRIANGLE, TWO_JOINTS, file, frames, read, rest};
use crate::usd_invalid::package;
use kinarray::Error;
use kinarray::character::Character;
use kinarray::io::{
    Format, LoadOptions, Loaded, MotionChoice, Source, load_character, load_motion,
};
use std::path::PathBuf;

/// A folder of its own, gone at the end.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str, files: &[(&str, &str)]) -> Self {
        let folder =
            std::env::temp_dir().join(format!("kinarray-usd-{name}-{}", std::process::id()));
        for (file, text) in files {
            let path = folder.join(file);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, text).unwrap();
        }
        Self(folder)
    }

    fn load(&self, file: &str) -> Result<Loaded<Character>, Error> {
        let source = Source::open(&self.0.join(file)).unwrap();
        load_character(&source, Format::Usd, &LoadOptions::default())
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        std::fs::remove_dir_all(&self.0).unwrap();
    }
}

fn layer(metadata: &str, body: &str) -> String {
    format!("#usda 1.0\n(\n metersPerUnit = 1\n{metadata}\n)\n{body}")
}

/// A skeleton and a mesh bound to it, below a prim that a layer calls its default.
fn rig() -> String {
    layer(
        "defaultPrim = \"Rig\"",
        &format!(
            "def SkelRoot \"Rig\"\n{{\n rel skel:skeleton = <Skel>\n rel skel:animationSource = </Rig/Anim>\n \
             def Skeleton \"Skel\"\n {{\n{TWO_JOINTS}\n }}\n def Mesh \"Mesh\"\n {{\n{TRIANGLE}\n }}\n}}\n"
        ),
    )
}

const ANIMATION: &str = "def SkelAnimation \"Walk\"\n{\n uniform token[] joints = [\"a\"]\n \
    float3[] translations.timeSamples = { 0: [(0, 0, 0)], 4: [(0, 0, 8)] }\n}\n";

#[test]
fn references_payloads_and_sublayers_are_followed() {
    let root = layer(
        "subLayers = [@./over.usda@]",
        "def Xform \"World\"\n{\n def \"Hero\" ( prepend references = @parts/hero.usda@ )\n {\n }\n}\n",
    );
    let over = layer(
        "",
        "over \"World\"\n{\n over \"Hero\"\n {\n  double3 xformOp:translate = (0, 5, 0)\n  \
         uniform token[] xformOpOrder = [\"xformOp:translate\"]\n }\n}\n",
    );
    // The folder of the reference is that of the layer that has it.
    let hero = layer(
        "defaultPrim = \"Hero\"",
        "def \"Hero\" ( payload = @../rig.usda@ )\n{\n}\n",
    );
    let folder = Folder::new(
        "followed",
        &[
            ("root.usda", &root),
            ("over.usda", &over),
            ("parts/hero.usda", &hero),
            ("rig.usda", &rig()),
        ],
    );
    let loaded = folder.load("root.usda").unwrap();
    assert_eq!(loaded.warnings, [""; 0]);
    assert_eq!(loaded.value.skeleton.len(), 2);
    assert_eq!(
        rest(&loaded.value),
        [[1.0, 5.0, 0.0], [2.0, 5.0, 0.0], [1.0, 6.0, 0.0]]
    );
}

#[test]
fn what_a_layer_says_itself_is_stronger() {
    let root = layer(
        "",
        "def \"Hero\" ( references = @rig.usda@ )\n{\n over \"Mesh\"\n {\n  point3f[] points = [(1, 0, 0), (2, 0, 0), (1, 3, 0)]\n }\n}\n",
    );
    let folder = Folder::new("stronger", &[("root.usda", &root), ("rig.usda", &rig())]);
    let loaded = folder.load("root.usda").unwrap();
    assert_eq!(rest(&loaded.value)[2], [1.0, 3.0, 0.0]);
}

#[test]
fn clocks_of_references_are_turned_into_that_of_the_whole() {
    let root = layer(
        "timeCodesPerSecond = 48",
        "def \"Hero\" ( references = @rig.usda@ )\n{\n def \"Anim\" ( references = @walk.usda@</Walk> (offset = 10; scale = 2) )\n {\n }\n}\n",
    );
    let walk = layer("timeCodesPerSecond = 24", ANIMATION);
    let folder = Folder::new(
        "clocks",
        &[
            ("root.usda", &root),
            ("rig.usda", &rig()),
            ("walk.usda", &walk),
        ],
    );
    let source = Source::open(&folder.0.join("root.usda")).unwrap();
    let motion = load_motion(
        &source,
        Format::Usd,
        &LoadOptions::default(),
        &MotionChoice::default(),
        None,
    )
    .unwrap()
    .value;
    // Four codes of 24 a second are eight of 48, twice as slow 16, from 10 on.
    assert_eq!((motion.fps, motion.n_frames()), (48.0, 17));
    assert!((motion.times[0] - 10.0 / 48.0).abs() < 1e-12);
    let frames = frames(&motion);
    assert!((frames[4][0][2] - 2.0).abs() < 1e-6, "{:?}", frames[4]);
}

#[test]
fn prims_of_the_same_layer_are_brought_in_as_often_as_asked() {
    let body = rig().split_once("def SkelRoot").unwrap().1.to_owned();
    let root = layer(
        "",
        &format!(
            "class SkelRoot{body}def \"A\" ( inherits = </Rig> )\n{{\n}}\ndef \"B\" ( references = </Rig> )\n{{\n \
             double3 xformOp:translate = (0, 0, 1)\n uniform token[] xformOpOrder = [\"xformOp:translate\"]\n}}\n"
        ),
    );
    let loaded = read(root.as_bytes(), &LoadOptions::default()).unwrap();
    assert_eq!(loaded.warnings, [""; 0]);
    let names: Vec<&str> = loaded
        .value
        .skeleton
        .joints()
        .iter()
        .map(|joint| joint.name.as_str())
        .collect();
    assert_eq!(names, ["a", "a/b", "a_1", "a/b_1"]);
    let points = rest(&loaded.value);
    assert_eq!(points.len(), 6);
    assert_eq!((points[0], points[3]), ([1.0, 0.0, 0.0], [1.0, 0.0, 1.0]));
}

#[test]
fn nothing_outside_the_folder_is_read() {
    let folder = Folder::new(
        "outside",
        &[("secret.usda", &rig()), ("in/rig.usda", &rig())],
    );
    let absolute = folder.0.join("secret.usda");
    let mut assets = vec![
        ("../secret.usda", "in the same folder or below"),
        ("in/../../secret.usda", "in the same folder or below"),
        (absolute.to_str().unwrap(), "in the same folder or below"),
        ("file:///etc/passwd", "in the same folder or below"),
        ("http://x.org/a.usd", "in the same folder or below"),
        ("gone.usda", "a file that can be read"),
    ];
    #[cfg(unix)]
    {
        std::os::unix::fs::symlink(&absolute, folder.0.join("in/link.usda")).unwrap();
        assets.push(("link.usda", "in the same folder or below"));
    }
    for (asset, reason) in assets {
        let root = layer(
            "",
            &format!(
                "def \"A\" ( references = [@{asset}@, @{asset}@] )\n{{\n}}\ndef \"B\" ( payload = @rig.usda@ )\n{{\n}}\n"
            ),
        );
        std::fs::write(folder.0.join("in/root.usda"), root).unwrap();
        let loaded = folder.load("in/root.usda").unwrap();
        let warning = &loaded.warnings[0];
        assert_eq!(loaded.warnings.len(), 1, "{:?}", loaded.warnings);
        assert!(
            warning.starts_with("what 'references' of /A (@"),
            "{warning}"
        );
        assert!(
            warning.contains(reason) && warning.contains("and 1 more"),
            "{warning}"
        );
        // Without anything else there is no character, and the refusal says why.
        std::fs::write(
            folder.0.join("in/alone.usda"),
            layer(
                "",
                &format!("def \"A\" ( references = @{asset}@ )\n{{\n}}\n"),
            ),
        )
        .unwrap();
        let error = folder.load("in/alone.usda").unwrap_err().to_string();
        assert!(
            error.contains("a Skeleton prim")
                && error.contains("'references' of /A")
                && error.contains(reason),
            "{error}"
        );
    }
    // Bytes have no neighbours.
    let error = read(
        layer("", "def \"A\" ( references = @rig.usda@ )\n{\n}\n").as_bytes(),
        &LoadOptions::default(),
    )
    .unwrap_err();
    assert!(error.to_string().contains("given as bytes"), "{error}");
}

#[test]
fn what_brings_in_itself_ends() {
    for body in [
        "def \"A\" ( references = </A> )\n{\n}\n",
        "def \"A\" ( references = </B> )\n{\n}\ndef \"B\" ( inherits = </A> )\n{\n}\n",
        "def \"A\"\n{\n def \"B\" ( references = </A> )\n {\n }\n def \"C\" ( references = </A> )\n {\n }\n}\n",
        "def \"A\" ( references = @root.usda@ )\n{\n}\n",
        "def \"A\" ( references = @root.usda@</A> )\n{\n def \"B\" ( payload = @root.usda@</A> )\n {\n }\n}\n",
    ] {
        let root = layer("subLayers = [@root.usda@, @./other.usda@]", body);
        let other = layer("subLayers = @root.usda@", body);
        let folder = Folder::new("itself", &[("root.usda", &root), ("other.usda", &other)]);
        let error = folder.load("root.usda").unwrap_err();
        assert!(matches!(error, Error::Format { .. }), "{error:?}");
    }
}

#[test]
fn what_cannot_be_brought_in_is_said() {
    let sound = file("", "", "");
    for (metadata, wanted) in [
        (
            "references = </Nowhere>",
            "'references' of /X (there is no prim /Nowhere)",
        ),
        (
            "references = @rig.usda@ (scale = -1)",
            "'references' of /X (its clock runs backwards)",
        ),
        (
            "payload = @bad.usda@",
            "'payload' of /X (@bad.usda@, line 1",
        ),
        (
            "references = @plain.usda@",
            "'references' of /X (the layer names no default prim)",
        ),
        ("delete references = @gone.usda@", ""),
        ("references = None", ""),
        (
            "variants = { string look = \"red\" }\n add variantSets = \"look\"",
            "",
        ),
    ] {
        let root = format!("{sound}def \"X\" ( {metadata} )\n{{\n}}\n");
        let folder = Folder::new(
            "said",
            &[
                ("root.usda", &root),
                ("bad.usda", "hello"),
                ("plain.usda", &layer("", "def \"P\"\n{\n}\n")),
            ],
        );
        let warnings = folder.load("root.usda").unwrap().warnings;
        match wanted {
            "" => assert!(warnings.is_empty(), "{metadata}: {warnings:?}"),
            wanted => assert!(
                warnings.len() == 1 && warnings[0].contains(wanted),
                "{metadata}: {warnings:?}"
            ),
        }
    }
}

#[test]
fn a_package_has_its_layers_inside() {
    let root = layer(
        "",
        "def \"Hero\" ( references = @./parts/rig.usda@ )\n{\n}\n",
    );
    let rig = rig();
    let packed = package(
        &[
            ("0/root.usda", root.as_bytes()),
            ("0/a.png", b"?"),
            ("0/parts/rig.usda", rig.as_bytes()),
        ],
        0,
    );
    let loaded = read(&packed, &LoadOptions::default()).unwrap();
    assert_eq!(loaded.warnings, [""; 0]);
    assert_eq!(loaded.value.skeleton.len(), 2);
    let without = package(&[("0/root.usda", root.as_bytes())], 0);
    let error = read(&without, &LoadOptions::default())
        .unwrap_err()
        .to_string();
    assert!(error.contains("a file of the package"), "{error}");
}

#[test]
fn a_blend_shape_of_two_meshes_may_have_in_betweens_in_one() {
    let shape = |more: &str| {
        format!(
            "        uniform token[] skel:blendShapes = [\"smile\"]\n        rel skel:blendShapeTargets = <smile>\n        \
         def BlendShape \"smile\"\n        {{\n            uniform vector3f[] offsets = [(0, 2, 0), (0, 2, 0), (0, 2, 0)]\n            {more}\n        }}"
        )
    };
    let animation = format!(
        "def SkelAnimation \"Anim\"\n{{\n uniform token[] blendShapes = [\"smile\"]\n float[] blendShapeWeights = [0.25]\n}}\n\
         def Mesh \"Other\"\n{{\n{TRIANGLE}\n{}\n}}\n",
        shape("")
    );
    let half =
        "uniform vector3f[] inbetweens:half = [(1, 0, 0), (1, 0, 0), (1, 0, 0)] (weight = 0.5)";
    let text = file(&animation, "", &shape(half));
    let source = Source::from_bytes(text.as_bytes());
    let motion = load_motion(
        &source,
        Format::Usd,
        &LoadOptions::default(),
        &MotionChoice::default(),
        None,
    )
    .unwrap()
    .value;
    let character = &motion.character;
    let n_rows = 7 * character.skeleton.len();
    let row = &motion.model_parameters[..character.parameter_transform.len()];
    let points = skinned(
        character,
        &posed(character, &row[..n_rows]),
        &morphed(character, &row[n_rows..]),
    );
    let mut firsts = [points[0], points[3]];
    firsts.sort_by(|left, right| left[0].total_cmp(&right[0]));
    assert_eq!(firsts, [[1.0, 0.5, 0.0], [1.5, 0.0, 0.0]]);
}

/// Crate files that OpenUSD 26.11 wrote, which reference one another in every way (a reference with a clock
/// and data of the user's, a payload, a sublayer with a clock, an inherited class), and its own points.
#[test]
fn crate_files_of_openusd_are_composed_as_it_does() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/usd_composed");
    let source = Source::open(&folder.join("root.usdc")).unwrap();
    let options = LoadOptions::default();
    let choice = MotionChoice::default();
    let loaded = load_motion(&source, Format::Usd, &options, &choice, None).unwrap();
    assert_eq!(loaded.warnings, [""; 0]);
    let motion = loaded.value;
    assert_eq!((motion.fps, motion.n_frames()), (48.0, 21));
    let frames = frames(&motion);
    for (code, wanted) in [
        (20, [[1.0, 5.0, 0.0], [2.0, 5.0, 0.0], [1.0, 6.0, 0.0]]),
        (26, [[1.0, 8.0, 3.0], [2.0, 8.0, 3.0], [1.0, 9.0, 3.0]]),
        (40, [[1.0, 15.0, 8.0], [2.0, 15.0, 8.0], [1.0, 16.0, 8.0]]),
    ] {
        for (got, wanted) in frames[code - 20].iter().zip(&wanted) {
            let error = got.iter().zip(wanted).map(|(x, y)| (x - y).abs());
            assert!(
                error.fold(0.0, f64::max) < 1e-6,
                "{code}: {got:?}, {wanted:?}"
            );
        }
    }
}

/// Each byte of a file with references, changed: what is brought in may differ, but nothing panics.
#[test]
fn damaged_references_never_panic() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/usd_composed");
    let bytes = std::fs::read(folder.join("parts/hero.usdc")).unwrap();
    for at in 0..bytes.len() {
        let mut damaged = bytes.clone();
        damaged[at] ^= 0x5b;
        let packed = package(&[("hero.usdc", &damaged)], 0);
        let error = read(&packed, &LoadOptions::default())
            .map(|_| ())
            .unwrap_err();
        assert!(matches!(error, Error::Format { .. }), "{error:?}");
    }
}

/// Packages as Python's `zipfile` writes them, with a crate file inside.
#[test]
fn seeds_of_fuzzing_load() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/readers/seeds/usd");
    if !folder.is_dir() {
        eprintln!("skipped: no seeds");
        return;
    }
    for name in ["arm.usda", "rig.usdc", "rig.usdz"] {
        let source = Source::open(&folder.join(name)).unwrap();
        let format = Format::of(&source).unwrap();
        let loaded = load_character(&source, format, &LoadOptions::default()).unwrap();
        assert_eq!(loaded.value.skeleton.len(), 2, "{name}");
    }
}
