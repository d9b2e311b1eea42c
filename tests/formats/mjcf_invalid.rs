//! MuJoCo's models: names, what is left out, and what is no model.

use crate::common::shared_data;
use crate::mjcf::{cases, load, refused, try_load};
use crate::mjcf_files::open;
use kinarray::io::{LoadOptions, Source, mjcf};

#[test]
fn joints_are_put_together_where_that_is_exact() {
    let character = load(
        "<mujoco><worldbody><body name='a'><joint name='s' type='slide' axis='1 2 0'/>
         <joint name='z'/><joint name='y' axis='0 -1 0'/><joint name='x' axis='1 0 0'/>
         <body name='b'><joint name='p' axis='1 0 0'/><joint name='q' axis='0 0 1'/>
         <body name='c'><joint name='a' axis='1 1 0'/>
         <body name='d'><joint name='away' pos='1 0 0'/></body></body></body></body></worldbody></mujoco>",
    );
    let joints = character.skeleton.joints().iter();
    let joints: Vec<&str> = joints.map(|joint| joint.name.as_str()).collect();
    assert_eq!(joints, ["a", "p", "b", "a_1", "c", "away", "d"]);
    let names = character.parameter_transform.names();
    assert_eq!(names, ["s", "z", "y", "x", "p", "q", "a", "away"]);
}

#[test]
fn what_has_no_name_gets_one() {
    let character = load(
        "<mujoco><worldbody><body><freejoint/><site/><site/>
         <body name='body_3'><joint/><body><joint type='ball'/><joint name='body_3_1'/></body></body>
         <body name='e'><joint type='slide'/><joint type='slide' axis='1 0 0'/></body></body></worldbody></mujoco>",
    );
    let joints = character.skeleton.joints().iter();
    let joints: Vec<&str> = joints.map(|joint| joint.name.as_str()).collect();
    assert_eq!(joints, ["body_1", "body_3", "body_3_1_1", "body_3_1", "e"]);
    let names = &character.parameter_transform.names()[6..];
    let ball = ["body_3_1_rx", "body_3_1_ry", "body_3_1_rz"];
    assert_eq!(names[0], "body_3");
    assert_eq!(names[1..4], ball);
    assert_eq!(names[4..], ["body_3_1", "e", "e_1"]);
    assert_eq!(character.parameter_transform.names()[0], "body_1_tx");
    let sites: Vec<&str> = character.locators.iter().map(|l| l.name.as_str()).collect();
    assert_eq!(sites, ["body_1_site", "body_1_site_1"]);
}

#[test]
fn what_is_left_out_is_said_once() {
    let loaded = try_load(
        "<mujoco><compiler alignfree='true'/><worldbody><geom type='plane' size='1 1 1'/><light/><light/>
         <body name='a' mocap='true'><joint name='b' type='ball' range='0 1'/><geom size='1' type='cylinder' fromto='0 0 0 1 0 0'/>
         <composite type='cable'/><attach/><flexcomp/><flexcomp/></body></worldbody>
         <equality/><tendon/><actuator/><sensor/><contact/><keyframe><key/></keyframe><keyframe/>
         <asset><texture/></asset></mujoco>",
    )
    .unwrap();
    let shell = "<geom size='1' shellinertia='true'/>";
    let shell = format!("<mujoco><worldbody><body name='a'>\n{shell}</body></worldbody></mujoco>");
    let unknown = "1 bodies have no mass, since it is not known; the first: line 2, <geom>: \
                   'shellinertia' is not computed";
    assert_eq!(try_load(&shell).unwrap().warnings, [unknown]);
    let mut warnings = loaded.warnings;
    warnings.sort();
    let expected = [
        "'alignfree' is left out: free bodies keep their frames, and are not turned into their principal axes",
        "1 collision cylinders have become capsules, whose ends are round",
        "1 textures are left out",
        "left out 2 times: <flexcomp>",
        "left out 2 times: <light>",
        "left out: <attach>",
        "left out: <composite>",
        "left out: <equality>, <tendon>, <actuator>, <sensor>, <contact>, <keyframe>",
        "left out: a plane, which has no end",
        "left out: that a body is moved by motion capture ('mocap'); it stays in its place",
        "the ranges of 1 ball joints are left out: they bound one angle about any axis",
    ];
    assert_eq!(warnings, expected);
}

#[test]
fn what_is_no_model_is_said_with_its_line() {
    let body = |inside: &str| {
        format!("<mujoco>\n<worldbody><body name='a'>\n{inside}\n</body></worldbody></mujoco>")
    };
    let head = |inside: &str| {
        format!("<mujoco>\n{inside}\n<worldbody><body name='a'/></worldbody></mujoco>")
    };
    let circle = "<default class='main'><default class='x'/><default class='x'/></default>";
    for (text, words) in [
        ("<mujoco", "line 1"),
        (
            "<mujocoinclude/>",
            "line 1, <mujocoinclude>: expected a <mujoco>",
        ),
        ("<mujoco/>", "at least one <body>"),
        ("<!DOCTYPE r [<!ENTITY a 'aa'>]><mujoco/>", "document type"),
        (
            &body("<body name='a'/>"),
            "line 3, <body name=\"a\">: expected a name that no other body",
        ),
        (
            &body("<joint name='j'/><joint name='j'/>"),
            "a name that no other joint has",
        ),
        (
            &body("<site name='j'/><site name='j'/>"),
            "a name that no other site has",
        ),
        (
            &body("<joint type='screw'/>"),
            "'type' of free, ball, slide, hinge, got \"screw\"",
        ),
        (
            &body("<joint axis='0 0 0'/>"),
            "directions of a length above 0 in 'axis'",
        ),
        (&body("<joint axis='1 0'/>"), "3 numbers in 'axis', got 2"),
        (
            &body("<joint axis='1 0 inf'/>"),
            "numbers in 'axis', got \"inf\"",
        ),
        (
            &body("<joint limited='true' range='1 1'/>"),
            "two ascending numbers",
        ),
        (
            &body("<joint limited='true'/>"),
            "a 'range', since it is limited",
        ),
        (
            &body("<joint limited='maybe'/>"),
            "'limited' of true, false, auto",
        ),
        (&body("<freejoint/><joint/>"), "a free joint without others"),
        (&body("<joint/><freejoint/>"), "a free joint without others"),
        (
            &body("<body><freejoint/></body>"),
            "a free joint on a body of the world",
        ),
        (
            "<mujoco><worldbody><joint/></worldbody></mujoco>",
            "a joint inside a <body>",
        ),
        (
            &body("<geom size='0'/>"),
            "'size' of 1 numbers above 0, got \"0\"",
        ),
        (
            &body("<geom size='1 2 3 4'/>"),
            "up to 3 numbers in 'size', got 4",
        ),
        (&body("<geom size='1' mass='-1'/>"), "'mass' of 0 or more"),
        (
            &body("<geom size='1' fromto='0 0 0 0 0 1'/>"),
            "'fromto' of no geom but a capsule",
        ),
        (
            &body("<geom type='box' size='1' fromto='1 1 1 1 1 1'/>"),
            "a length above 0 in 'fromto'",
        ),
        (
            &body("<geom type='mesh'/>"),
            "a 'mesh', since it is of type mesh",
        ),
        (
            &body("<geom type='mesh' mesh='x'/>"),
            "'mesh' of a mesh in <asset>, got \"x\"",
        ),
        (
            &body("<geom size='1' material='x'/>"),
            "'material' of a material in <asset>",
        ),
        (
            &body("<geom size='1' class='x'/>"),
            "a default class in 'class', got \"x\"",
        ),
        (
            &body("<body childclass='x'/>"),
            "a default class in 'childclass'",
        ),
        (
            &body("<body quat='0 0 0 0'/>"),
            "a quaternion in 'quat' whose length is a number above 0",
        ),
        (
            &body("<body quat='1e300 1e300 0 0'/>"),
            "a quaternion in 'quat' whose length is a number",
        ),
        (
            &body("<body quat='1 0 0 0' euler='0 0 0'/>"),
            "one of quat, axisangle, euler",
        ),
        (
            &body("<body xyaxes='1 0 0 2 0 0'/>"),
            "a length above 0 in 'xyaxes'",
        ),
        (&body("<replicate/>"), "an attribute 'count'"),
        (
            &body("<replicate count='-1'/>"),
            "a whole number in 'count', got \"-1\"",
        ),
        (
            &body("<replicate count='999999999999'/>"),
            "at most 131072 elements in copies",
        ),
        (
            &body(
                "<replicate count='9999'><replicate count='9999'><body/></replicate></replicate>",
            ),
            "at most 131072 elements in copies",
        ),
        (
            &body("<body zaxis='0 0 0'/>"),
            "a length above 0 in 'zaxis'",
        ),
        (
            &body("<inertial pos='0 0 0' mass='-1'/>"),
            "a 'mass' of 0 or more",
        ),
        (
            &head("<compiler angle='gradian'/>"),
            "line 2, <compiler>: expected an angle of degree or radian",
        ),
        (
            &head("<compiler coordinate='global'/>"),
            "local coordinates",
        ),
        (
            &head("<compiler eulerseq='xyw'/>"),
            "three letters of xyzXYZ",
        ),
        (
            &head("<compiler autolimits='1'/>"),
            "true or false in 'autolimits'",
        ),
        (
            &head("<compiler inertiafromgeom='x'/>"),
            "true, false or auto",
        ),
        (&head("<default class='other'/>"), "no class or 'main'"),
        (
            &head("<default><default/></default>"),
            "an attribute 'class'",
        ),
        (&head(circle), "a name that no other default class has"),
        (&head("<asset><mesh/></asset>"), "a 'name' or a 'file'"),
        (
            &head("<asset><mesh file='a/b.stl'/><mesh file='b.obj'/></asset>"),
            "a name that no other mesh has, got \"b\"",
        ),
        (
            &head("<asset><mesh name='a' vertex='0 0 0' face='0 1 0'/></asset>"),
            "numbers of the 1 vertices",
        ),
        (
            &head("<asset><material name='a'/><material name='a'/></asset>"),
            "a name that no other material",
        ),
    ] {
        let error = refused(text);
        assert!(error.contains(words), "{error}\ninstead of {words}");
    }
}

#[test]
fn many_or_deep_bodies_are_no_problem() {
    let wide = "<body><joint/><body><joint/></body></body>".repeat(10_000);
    let wide = load(&format!("<mujoco><worldbody>{wide}</worldbody></mujoco>"));
    assert_eq!(wide.skeleton.len(), 20_000);
    let deep = |count: usize| {
        let (open, close) = ("<body><joint/>".repeat(count), "</body>".repeat(count));
        try_load(&format!(
            "<mujoco><worldbody>{open}{close}</worldbody></mujoco>"
        ))
    };
    assert_eq!(deep(250).unwrap().value.skeleton.len(), 250);
    assert!(deep(300).unwrap_err().to_string().contains("at most 256"));
}

#[test]
fn broken_files_do_no_harm() {
    let cases = cases();
    let cases = cases.as_object().unwrap().values();
    let texts = cases.map(|case| case["xml"].as_str().unwrap());
    for text in texts {
        for end in (0..text.len()).step_by(43) {
            assert!(try_load(&text[..end]).is_err());
        }
        for at in (0..text.len()).step_by(17) {
            for change in [0x15, 0x02] {
                let mut bytes = text.as_bytes().to_vec();
                bytes[at] ^= change;
                let source = Source::from_bytes(&bytes);
                let _ = mjcf::load_character(&source, &LoadOptions::default());
            }
        }
    }
}

#[test]
fn broken_models_are_refused() {
    let Some(data) = shared_data() else { return };
    for (file, words) in [
        (
            "malformed_duplicated.xml",
            "a name that no other mesh has, got \"cube\"",
        ),
        (
            "model_with_invalid_filenames.xml",
            "\"invalid_included_name.xml\"",
        ),
    ] {
        let error = open(&data.join("invalid/mjcf").join(file)).unwrap_err();
        assert!(matches!(error, kinarray::Error::Format { .. }));
        let error = error.to_string();
        assert!(error.contains(words) && error.contains(file), "{error}");
    }
}
