//! `.model`: what is wrong with a file, and what is left out of one.

use crate::momentum_figure::{figure, message};
use kinarray::character::{
    Character, CharacterParts, LimitKind, ParameterLimit, ParameterTransform,
};
use kinarray::io::Source;
use kinarray::io::model_definition::{load_model_definition, save_model_definition};

const MODEL: &[u8] = include_bytes!("../data/momentum/figure.model");

fn text(body: &str) -> String {
    format!("Momentum Model Definition V1.0\n{body}\n")
}

fn fault(body: &str) -> String {
    message(load_model_definition(
        &Source::from_bytes(text(body).as_bytes()),
        &figure(),
    ))
}

fn warnings(body: &str) -> Vec<String> {
    let text = text(body);
    let loaded = load_model_definition(&Source::from_bytes(text.as_bytes()), &figure());
    loaded.unwrap().warnings
}

#[test]
fn faults_are_named_with_their_line() {
    let start = "[ParameterTransform]\nroot.rx = 1*a + 1*b\n";
    for (body, wanted) in [
        (
            "root.xx = 1*a",
            "line 4: expected tx, ty, tz, rx, ry, rz or sc after the joint, got \"xx\"",
        ),
        (
            "spin.rx = 1*a",
            "line 4: expected the name of a joint of the character, got \"spin\"; close to it: 'spine'",
        ),
        ("spine = 1*a", "line 4: expected joint.channel before '='"),
        ("spine.rx = a", "line 4: expected 'factor * parameter'"),
        (
            "spine.rx = 1*a + x*b",
            "line 4: expected 'factor * parameter'",
        ),
        ("spine.rx = nan*a", "line 4: expected 'factor * parameter'"),
        ("spine.rx = 1*a*b", "line 4: expected 'factor * parameter'"),
        ("spine.rx = 1*spine.rx", "line 4: expected another channel"),
        ("spine.rx = 1*root.bx", "line 4: expected a channel"),
        (
            "[ParameterSets]\nparameterset",
            "line 5: expected the name of a set",
        ),
        (
            "[ParameterSets]\nparameterset x c",
            "line 5: expected the name of a parameter, got \"c\"",
        ),
        (
            "[Limits]\nlimit c minmax [0, 1]",
            "line 5: expected the name of a parameter, got \"c\"",
        ),
        (
            "[Limits]\nlimit a",
            "line 5: expected minmax, minmax_passive",
        ),
        (
            "[Limits]\nlimit a maxmin [0, 1]",
            "line 5: expected minmax, minmax_passive",
        ),
        (
            "[Limits]\nlimit a minmax [1, 0]",
            "line 5: expected a limit that can be",
        ),
        (
            "[Limits]\nlimit a minmax [0, 1, 2]",
            "line 5: expected 2 numbers in brackets, got \"3 of them\"",
        ),
        ("[Limits]\nlimit a minmax [0, 1", "line 5: expected ']'"),
        ("[Limits]\nlimit a minmax 0, 1", "line 5: expected '['"),
        (
            "[Limits]\nlimit a minmax [0, 1] -1",
            "line 5: expected a limit that can be",
        ),
        (
            "[Limits]\nlimit a minmax [0, 1] 1 1",
            "line 5: expected the end of the line",
        ),
        (
            "[Limits]\nlimit a minmax_passive [0, 1]",
            "line 5: expected joint.channel",
        ),
        (
            "[Limits]\nlimit a linear spine.rx [1, 0]",
            "line 5: expected the name of a parameter",
        ),
        (
            "[Limits]\nlimit a linear b [1, 0, 1] [1, 5]",
            "line 5: expected pieces that meet, got \"1 and -4 at 1\"",
        ),
        (
            "[Limits]\nlimit a linear b [1, 0] [1, 0]",
            "line 5: expected an end in each piece",
        ),
        (
            "[Limits]\nlimit a linear b [1]",
            "line 5: expected [scale, offset]",
        ),
        (
            "[Limits]\nlimit a halfplane b [0, 0] 1",
            "line 5: expected a normal that is not zero",
        ),
        (
            "[Limits]\nlimit root ellipsoid [0,0,0] spine [0,0,0] [0,0,0] [0,1,1]",
            "line 5: expected an ellipsoid",
        ),
    ] {
        let got = fault(&format!("{start}{body}"));
        assert!(got.contains(wanted), "{body}: {got}");
    }
    for (file, wanted) in [
        (
            "",
            "line 1: expected 'Momentum Model Definition V1.0', got the end of the file",
        ),
        (
            "# only\n\n[Limits]",
            "line 3: expected 'Momentum Model Definition V1.0', got \"[Limits]\"",
        ),
    ] {
        let got = message(load_model_definition(
            &Source::from_bytes(file.as_bytes()),
            &figure(),
        ));
        assert!(got.contains(wanted), "{got}");
    }
}

#[test]
fn what_is_left_out_is_said_once() {
    for (body, wanted) in [
        (
            "hello\nworld",
            vec!["line 2: left out, it is in no section"],
        ),
        (
            "[Hello]\nworld\nx = 1",
            vec!["line 2: section [Hello] is left out"],
        ),
        (
            "[ParameterTransform]\nroot.rx",
            vec!["line 3: left out, it assigns nothing"],
        ),
        (
            "[ParameterTransform]\nroot.rx = 1*a + 0.5\nspine.ry = 2",
            vec!["constants added to channels are left out: those of 'root.rx', 'spine.ry'"],
        ),
        (
            "[ParameterTransform]\nroot.rx = 2*spine.rx",
            vec!["line 3: 'spine.rx' adds nothing, since no line above drives it"],
        ),
        (
            "[ParameterSets]\nset a",
            vec!["line 3: left out, it is no parameterset"],
        ),
        (
            "[Limits]\nlemit a",
            vec!["line 3: left out, it is no limit"],
        ),
        (
            "[ParameterTransform]\nroot.rx = 1*a\n[PoseConstraints]\nposeconstraints rest a=1\nposeconstraints more a=2",
            vec!["line 5: [PoseConstraints] are left out"],
        ),
    ] {
        assert_eq!(warnings(body), wanted, "{body}");
    }
}

/// A short file that copies what drives a channel again and again asks for ever more.
#[test]
fn copies_and_sets_end() {
    let terms: Vec<String> = (0..2048).map(|at| format!("1*p{at}")).collect();
    let start = format!("[ParameterTransform]\nroot.rx = {}\n", terms.join(" + "));
    let copies = start.clone() + &"spine.rx = 0.5*root.rx\n".repeat(600);
    let got = fault(&copies);
    assert!(
        got.contains("line 515: expected at most 1048576 factors in all"),
        "{got}"
    );
    let sets = (0..10_000).map(|at| format!("parameterset s{at}\n"));
    let got = fault(&(start + "[ParameterSets]\n" + &sets.collect::<String>()));
    assert!(
        got.contains("line 8197: expected at most 16777216 places in all sets"),
        "{got}"
    );
    let doubling = "[ParameterTransform]\nroot.rx = 1*a\n".to_owned()
        + &"spine.rx = 1e300*root.rx\nroot.rx = 1e300*spine.rx\n".repeat(3);
    let got = fault(&doubling);
    assert!(got.contains("finite"), "{got}");
}

#[test]
fn no_start_of_a_file_and_no_wrong_byte_panics() {
    for end in 0..MODEL.len() {
        let _ = load_model_definition(&Source::from_bytes(&MODEL[..end]), &figure());
    }
    let character = figure();
    for at in 0..MODEL.len() {
        for byte in [b' ', b'[', b'*', 0xff] {
            let mut bytes = MODEL.to_vec();
            bytes[at] = byte;
            let _ = load_model_definition(&Source::from_bytes(&bytes), &character);
        }
    }
}

fn with(names: &[&str], limits: Vec<LimitKind>) -> Character {
    let skeleton = figure().skeleton.as_ref().clone();
    let entries = (0..names.len()).map(|at| (at, at, 1.0));
    let names = names.iter().map(|name| (*name).to_owned()).collect();
    let transform = ParameterTransform::new(names, skeleton.len(), entries).unwrap();
    let mut parts = CharacterParts::new("", skeleton, transform);
    let limits = limits
        .into_iter()
        .map(|kind| ParameterLimit::new(kind, 1.0).unwrap());
    parts.parameter_limits = limits.collect::<Vec<_>>().into();
    Character::new(parts).unwrap()
}

#[test]
fn names_that_the_text_cannot_hold_are_refused() {
    for name in ["", "a+b", "a*b", "a#b", " a", "a\nb", "root.rx"] {
        let got = message(save_model_definition(&with(&[name], vec![])));
        assert!(
            got.contains("a model definition cannot hold the name"),
            "{name:?}: {got}"
        );
    }
    let limit = LimitKind::MinMax {
        parameter: 0,
        range: [0.0, 1.0],
    };
    let got = message(save_model_definition(&with(&["a b"], vec![limit.clone()])));
    assert!(got.contains("parameter 'a b'"), "{got}");
    assert_eq!(
        message(save_model_definition(&with(&["a b"], vec![]))),
        "no error"
    );
    let saved = save_model_definition(&with(&["a-b"], vec![limit])).unwrap();
    assert_eq!(saved.warnings, ["PyMomentum cannot read the names 'a-b'"]);
    let sheared = LimitKind::Ellipsoid {
        ellipsoid_parent: 0,
        parent: 1,
        offset: [0.0; 3],
        ellipsoid: [
            1.0, 0.5, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 0.0, 1.0,
        ],
    };
    let saved = save_model_definition(&with(&["a"], vec![sheared])).unwrap();
    assert_eq!(
        saved.warnings,
        ["limit 0 is left out: its ellipsoid is sheared"]
    );
}
