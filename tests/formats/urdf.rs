//! Robots: links where pinocchio puts them, what links carry, and what is no robot.

use crate::common::{files_below, posed, shared_data};
use kinarray::character::{Character, CollisionShape, LimitKind};
use kinarray::io::{LoadOptions, SaveOptions, Source, urdf};
use nalgebra::Matrix4;
use serde_json::Value;

fn load(text: &str) -> Character {
    let source = Source::from_bytes(text.as_bytes());
    urdf::load_character(&source, &LoadOptions::default())
        .unwrap()
        .value
}

fn refused(text: &str) -> String {
    let source = Source::from_bytes(text.as_bytes());
    urdf::load_character(&source, &LoadOptions::default())
        .unwrap_err()
        .to_string()
}

/// World matrices of all joints.
fn worlds(character: &Character, parameters: &[f64]) -> Vec<Matrix4<f64>> {
    let rows = 7 * character.skeleton.len();
    let joints: Vec<f64> = (0..rows)
        .map(|row| {
            let entries = character.parameter_transform.row(row);
            entries.map(|(at, factor)| factor * parameters[at]).sum()
        })
        .collect();
    posed(character, &joints)
}

fn world(character: &Character, parameters: &[f64], link: &str) -> Matrix4<f64> {
    worlds(character, parameters)[character.skeleton.joint_index(link).unwrap()]
}

#[test]
fn links_are_where_pinocchio_puts_them() {
    let Some(data) = shared_data() else { return };
    let mut compared = 0;
    for path in files_below(&data.join("expected/urdf"), &["json"]) {
        let wanted: Value = serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap();
        let name = wanted["file"].as_str().unwrap();
        let source = Source::open(&data.join(name)).unwrap();
        let loaded = urdf::load_character(&source, &LoadOptions::default()).unwrap();
        let character = loaded.value;
        let names = character.parameter_transform.names();
        assert_eq!(
            names.len(),
            wanted["counts"]["independent_joints"],
            "{name}"
        );
        let mut worst = 0.0_f64;
        for pose in wanted["poses"].as_array().unwrap() {
            let mut parameters = vec![0.0; names.len()];
            for (joint, value) in pose["joint_values"].as_object().unwrap() {
                let at = names.iter().position(|name| name == joint).unwrap();
                parameters[at] = value.as_f64().unwrap();
            }
            let own = worlds(&character, &parameters);
            for (link, position) in pose["link_positions"].as_object().unwrap() {
                let world = own[character.skeleton.joint_index(link).unwrap()];
                for axis in 0..3 {
                    let error = world[(axis, 3)] - position[axis].as_f64().unwrap();
                    worst = worst.max(error.abs());
                }
                compared += 1;
            }
            for (link, matrix) in pose["link_matrices"].as_object().unwrap() {
                let world = own[character.skeleton.joint_index(link).unwrap()];
                for at in 0..12 {
                    let wanted = matrix[at / 4][at % 4].as_f64().unwrap();
                    worst = worst.max((world[(at / 4, at % 4)] - wanted).abs());
                }
            }
        }
        println!("{name}: {worst:.1e}, {:?}", loaded.warnings);
        // The figures have nine digits.
        assert!(worst < 1e-8, "{name}: {worst}");
    }
    assert!(compared > 1000, "{compared}");
}

#[test]
fn robots_survive_a_round_trip() {
    let Some(data) = shared_data() else { return };
    for path in files_below(&data.join("urdf"), &["urdf"]) {
        let source = Source::open(&path).unwrap();
        let first = urdf::load_character(&source, &LoadOptions::default())
            .unwrap()
            .value;
        let saved = urdf::save_character(&first, &SaveOptions::default()).unwrap();
        let again = load(std::str::from_utf8(&saved.clone().into_bytes()).unwrap());
        let names = first.parameter_transform.names();
        assert_eq!(again.parameter_transform.names(), names);
        assert_eq!(again.parameter_limits, first.parameter_limits);
        let masses = |character: &Character| {
            let bodies = character.physical_properties.iter();
            let mut masses: Vec<_> = bodies
                .map(|body| (body.joint_name.clone(), body.mass.to_bits()))
                .collect();
            masses.sort();
            masses
        };
        assert_eq!(masses(&again), masses(&first));
        assert_eq!(
            again.collision_geometry.len(),
            first.collision_geometry.len()
        );
        let parameters: Vec<f64> = (0..names.len()).map(|at| (at as f64 * 0.7).sin()).collect();
        let (before, after) = (worlds(&first, &parameters), worlds(&again, &parameters));
        for (joint, world) in first.skeleton.joints().iter().zip(&before) {
            let Some(at) = again.skeleton.joint_index(&joint.name) else {
                panic!("{}: no joint '{}'", path.display(), joint.name);
            };
            let error = (after[at] - world).amax();
            assert!(error < 1e-9, "{} {}: {error}", path.display(), joint.name);
        }
    }
}

const ARM: &str = r#"<robot name="arm">
  <material name="red"><color rgba="1 0 0 1"/></material>
  <link name="base"/>
  <link name="upper">
    <inertial><origin xyz="0 0 0.5" rpy="0 0 1"/><mass value="2"/>
      <inertia ixx="1" iyy="2" izz="3" ixy="0.1"/></inertial>
    <collision><origin xyz="0 0 1"/><geometry><cylinder radius="0.1" length="2"/></geometry></collision>
    <collision><geometry><box size="1 2 3"/></geometry></collision>
    <visual><geometry><box size="1 1 1"/></geometry><material name="red"/></visual>
  </link>
  <link name="hand"/><link name="slide"/><link name="float"/><link name="table"/>
  <joint name="shoulder" type="revolute"><parent link="base"/><child link="upper"/>
    <origin xyz="1 2 3" rpy="0.1 0.2 0.3"/><axis xyz="1 1 0"/><limit lower="-1" upper="2"/></joint>
  <joint name="wrist" type="continuous"><parent link="upper"/><child link="hand"/>
    <axis xyz="0 0 -1"/><mimic joint="shoulder" multiplier="2" offset="0.5"/></joint>
  <joint name="rail" type="prismatic"><parent link="upper"/><child link="slide"/>
    <origin rpy="0 0 1.5707963267948966"/><axis xyz="1 0 0"/><limit lower="0" upper="1"/></joint>
  <joint name="free" type="floating"><parent link="base"/><child link="float"/></joint>
  <joint name="plane" type="planar"><parent link="base"/><child link="table"/><axis xyz="0 0 1"/></joint>
</robot>"#;

#[test]
fn every_type_of_joint_moves_as_it_says() {
    let arm = load(ARM);
    let names = arm.parameter_transform.names();
    let at = |name: &str| names.iter().position(|own| own == name).unwrap();
    assert_eq!(names.len(), 2 + 6 + 3);
    let mut parameters = vec![0.0; names.len()];
    parameters[at("shoulder")] = 0.7;
    parameters[at("rail")] = 0.4;
    let turn = |axis: [f64; 3], angle: f64| {
        let axis = nalgebra::Unit::new_normalize(nalgebra::Vector3::from(axis));
        nalgebra::Rotation3::from_axis_angle(&axis, angle).to_homogeneous()
    };
    let origin = Matrix4::new_translation(&[1.0, 2.0, 3.0].into())
        * nalgebra::Rotation3::from_euler_angles(0.1, 0.2, 0.3).to_homogeneous();
    let upper = origin * turn([1.0, 1.0, 0.0], 0.7);
    let close = |got: Matrix4<f64>, wanted: Matrix4<f64>| {
        assert!((got - wanted).amax() < 1e-12, "{got} {wanted}");
    };
    close(world(&arm, &parameters, "upper"), upper);
    let hand = upper * turn([0.0, 0.0, -1.0], 2.0 * 0.7 + 0.5);
    close(world(&arm, &parameters, "hand"), hand);
    let quarter = turn([0.0, 0.0, 1.0], std::f64::consts::FRAC_PI_2);
    let slide = upper * quarter * Matrix4::new_translation(&[0.4, 0.0, 0.0].into());
    close(world(&arm, &parameters, "slide"), slide);
    let mut parameters = vec![0.0; names.len()];
    for (name, value) in [("plane_x", 0.5), ("plane_y", -1.0), ("plane_yaw", 0.3)] {
        parameters[at(name)] = value;
    }
    let table = Matrix4::new_translation(&[0.5, -1.0, 0.0].into()) * turn([0.0, 0.0, 1.0], 0.3);
    close(world(&arm, &parameters, "table"), table);
    parameters[at("free_ty")] = 3.0;
    parameters[at("free_rx")] = 0.2;
    let float = Matrix4::new_translation(&[0.0, 3.0, 0.0].into()) * turn([1.0, 0.0, 0.0], 0.2);
    close(world(&arm, &parameters, "float"), float);
}

#[test]
fn links_carry_masses_solids_and_what_is_seen() {
    let arm = load(ARM);
    let upper = arm.skeleton.joint_index("upper").unwrap();
    let body = &arm.physical_properties[0];
    assert_eq!((body.mass, body.joint_index), (2.0, Some(upper)));
    assert_eq!(body.center_of_mass_offset, [0.0, 0.0, 0.5]);
    assert_eq!(body.inertia, [1.0, 0.1, 0.0, 0.1, 2.0, 0.0, 0.0, 0.0, 3.0]);
    let CollisionShape::TaperedCapsule { radius, length } = arm.collision_geometry[0].shape else {
        panic!("no capsule");
    };
    assert_eq!((radius, length), ([0.1; 2], 2.0));
    // It begins below and runs up, though capsules run along x.
    let place = Matrix4::from_row_slice(&arm.collision_geometry[0].transformation);
    let ends = [0.0, 2.0].map(|x| place * nalgebra::Vector4::new(x, 0.0, 0.0, 1.0));
    assert!((ends[0].xyz() - nalgebra::Vector3::zeros()).amax() < 1e-12);
    assert!((ends[1].xyz() - nalgebra::Vector3::new(0.0, 0.0, 2.0)).amax() < 1e-12);
    let mesh = arm.mesh.as_ref().unwrap();
    assert_eq!((mesh.n_vertices(), mesh.faces.len()), (8, 12));
    assert_eq!(mesh.colors[0], [255, 0, 0]);
    let weights = arm.skin_weights.as_ref().unwrap();
    assert!(weights.index().iter().all(|&joint| joint == upper as u32));
    assert!(matches!(
        arm.parameter_limits[0].kind,
        LimitKind::MinMax {
            parameter: 0,
            range: [-1.0, 2.0]
        }
    ));
}

#[test]
fn a_solid_encloses_its_volume() {
    use kinarray::io::mesh_files::{Triangles, ball, block, cylinder};
    let volume = |body: &Triangles| -> f64 {
        let corner = |at: u32| nalgebra::Vector3::from(body.vertices[at as usize]);
        let faces = body.faces.iter();
        faces
            .map(|&[a, b, c]| corner(a).dot(&corner(b).cross(&corner(c))) / 6.0)
            .sum()
    };
    let pi = std::f64::consts::PI;
    assert!((volume(&block([1.0, 2.0, 3.0])) - 6.0).abs() < 1e-12);
    for (got, wanted) in [
        (volume(&cylinder(1.0, 2.0)), 2.0 * pi),
        (volume(&ball(1.0, 0.0)), 4.0 / 3.0 * pi),
        (volume(&ball(1.0, 2.0)), 4.0 / 3.0 * pi + 2.0 * pi),
    ] {
        assert!(got < wanted && got > 0.95 * wanted, "{got} {wanted}");
    }
}

#[test]
fn mesh_files_are_read_and_broken_ones_are_not() {
    use kinarray::io::mesh_files::load;
    let ascii = "solid a\nfacet normal 0 0 1\nouter loop\nvertex 0 0 0\nvertex 1 0 0\nvertex 0 1 0\n\
                 endloop\nendfacet\nendsolid a\n";
    let one = load(ascii.as_bytes(), "stl").unwrap();
    assert_eq!((one.vertices.len(), one.faces.len()), (3, 1));
    let mut binary = vec![0_u8; 80];
    binary.extend(2_u32.to_le_bytes());
    for corner in [[0.0_f32; 3], [1.0, 0.0, 0.0], [0.0, 1.0, 0.0]]
        .repeat(2)
        .chunks(3)
    {
        binary.extend([0; 12]);
        binary.extend(corner.iter().flatten().flat_map(|x| x.to_le_bytes()));
        binary.extend([0; 2]);
    }
    let two = load(&binary, "stl").unwrap();
    assert_eq!((two.vertices.len(), two.faces.len()), (3, 2));
    let quad = load(
        b"v 0 0 0\nv 1 0 0\nv 1 1 0\nv 0 1 0\nf 1 2/1 3//2 -1\n",
        "obj",
    )
    .unwrap();
    assert_eq!(quad.faces, [[0, 1, 2], [0, 2, 3]]);
    // Three vertices, a normal, three texture coordinates and a face.
    let mut msh: Vec<u8> = [3_i32, 1, 3, 1]
        .iter()
        .flat_map(|x| x.to_le_bytes())
        .collect();
    let numbers = [
        0.0_f32, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 2.0, 0.0, 0.0, 0.0, 1.0,
    ]
    .into_iter();
    msh.extend(numbers.chain([0.5; 6]).flat_map(f32::to_le_bytes));
    msh.extend([0_u32, 1, 2].iter().flat_map(|x| x.to_le_bytes()));
    let mut lost = msh.clone();
    lost[96] = 3;
    let own = load(&msh, "msh").unwrap();
    assert_eq!(
        (own.vertices[2], &own.faces[..]),
        ([0.0, 2.0, 0.0], &[[0, 1, 2]][..])
    );
    binary[80..84].copy_from_slice(&u32::MAX.to_le_bytes());
    for (bytes, suffix, words) in [
        (&binary[..], "stl", "at most the 2 triangles"),
        (
            b"solid a\nfacet normal 0 0 1\nouter loop\nvertex 0 0 x",
            "stl",
            "a number",
        ),
        (b"v 0 0 0\nf 1 2 3", "obj", "line 2"),
        (b"", "dae", ".stl, .obj, .glb or .msh"),
        (
            &msh[..90],
            "msh",
            "84 bytes after it, as the counts say, got 74",
        ),
        (b"1234", "msh", "four counts"),
        (&[255; 16], "msh", "counts of 0 or more"),
        (&lost, "msh", "numbers of the 3 vertices, got 3"),
    ] {
        let error = load(bytes, suffix).unwrap_err().to_string();
        assert!(error.contains(words), "{error}");
    }
}

#[test]
fn what_is_no_robot_is_said_with_its_line() {
    let joint = |inside: &str| {
        format!(
            "<robot name='r'>\n<link name='a'/><link name='b'/><link name='c'/>\n{inside}\n</robot>"
        )
    };
    let link = |name: &str, parent: &str, child: &str| {
        format!(
            "<joint name='{name}' type='fixed'><parent link='{parent}'/><child link='{child}'/></joint>"
        )
    };
    let ab = link("j", "a", "b");
    for (text, words) in [
        ("<robot", "line 1"),
        ("<sdf/>", "SDF"),
        ("<robot/>", "at least one <link>"),
        (
            &joint(&link("j", "a", "d")),
            "line 3, <joint name=\"j\">: expected a <child> that is one of the 3 links",
        ),
        (
            &joint(&format!("{ab}{}", link("k", "c", "b"))),
            "'b' is the child of 'j'",
        ),
        (
            &joint(&format!("{ab}{}", link("j", "b", "c"))),
            "a name that no other joint has",
        ),
        (
            &joint(&ab),
            "one link that is no child of a joint, got 2 of them",
        ),
        (
            &joint(&format!(
                "{ab}{}{}",
                link("k", "b", "c"),
                link("l", "c", "a")
            )),
            "form a circle",
        ),
        (
            &joint(&ab.replace("fixed", "screw")),
            "a type of fixed, revolute",
        ),
        (
            &joint(
                &ab.replace("fixed'", "revolute'")
                    .replace("</joint>", "<axis xyz='0 0 0'/></joint>"),
            ),
            "an axis that is not zero",
        ),
        (
            &joint(
                &ab.replace("fixed'", "revolute'")
                    .replace("</joint>", "<limit lower='2' upper='1'/></joint>"),
            ),
            "'lower' not above 'upper'",
        ),
        (
            &joint(&ab.replace("</joint>", "<origin xyz='1 nan 2'/></joint>")),
            "numbers in 'xyz', got \"nan\"",
        ),
        (
            &joint(&ab.replace("</joint>", "<origin xyz='1 1e999 2'/></joint>")),
            "numbers in 'xyz'",
        ),
        (
            &joint(
                &ab.replace("fixed'", "revolute'")
                    .replace("</joint>", "<mimic joint='j'/></joint><joint name='k' type='fixed'><parent link='b'/><child link='c'/></joint>"),
            ),
            "mimic each other",
        ),
        (
            "<robot xmlns:xacro='http://ros.org/wiki/xacro'><xacro:include filename='/etc/passwd'/></robot>",
            "xacro",
        ),
        ("<!DOCTYPE r [<!ENTITY a 'aa'>]><robot/>", "document type"),
    ] {
        let error = refused(text);
        assert!(error.contains(words), "{error}\ninstead of {words}");
    }
}

#[test]
fn a_long_chain_of_links_is_no_problem() {
    let mut text = String::from("<robot name='chain'><link name='l0'/>");
    for at in 1..10_000 {
        let before = at - 1;
        text += &format!(
            "<link name='l{at}'/><joint name='j{at}' type='continuous'><parent link='l{before}'/>\
             <child link='l{at}'/><origin xyz='0 0 1'/><axis xyz='0 1 0'/></joint>"
        );
    }
    let chain = load(&(text + "</robot>"));
    assert_eq!(chain.skeleton.len(), 10_000);
}

#[test]
fn broken_files_do_no_harm() {
    let cases = (0..ARM.len())
        .step_by(7)
        .filter(|&at| ARM.is_char_boundary(at));
    for end in cases {
        let source = Source::from_bytes(&ARM.as_bytes()[..end]);
        assert!(urdf::load_character(&source, &LoadOptions::default()).is_err());
    }
    for at in (0..ARM.len()).step_by(3) {
        let mut bytes = ARM.as_bytes().to_vec();
        bytes[at] ^= 0x15;
        let source = Source::from_bytes(&bytes);
        let _ = urdf::load_character(&source, &LoadOptions::default());
    }
    let Some(data) = shared_data() else { return };
    for path in files_below(&data.join("invalid"), &["urdf"]) {
        let loaded = urdf::load_character(&Source::open(&path).unwrap(), &LoadOptions::default());
        println!(
            "{}: {:?}",
            path.display(),
            loaded.map(|loaded| loaded.warnings)
        );
    }
}
