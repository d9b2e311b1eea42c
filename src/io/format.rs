//! Which format a file has.

use super::Source;
use crate::error::{Error, Result};

/// The formats.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Format {
    /// glTF 2.0, text or binary; VRM is glTF too.
    Gltf,
    /// Biovision hierarchy and motion.
    Bvh,
    /// Acclaim skeleton.
    Asf,
    /// Acclaim motion.
    Amc,
    /// Autodesk FBX.
    Fbx,
    /// Unified robot description.
    Urdf,
    /// MuJoCo model.
    Mjcf,
    /// Universal scene description.
    Usd,
    /// Coordinates in three dimensions.
    C3d,
    /// Track row column.
    Trc,
    /// The JSON of PyMomentum's predecessors.
    LegacyJson,
    /// Momentum's binary motion.
    Mmo,
    /// Skeleton and motion of DeepMimic, JSON.
    DeepMimic,
}

/// Each format, its name for `format=` and in messages, and its suffixes.
const FORMATS: [(Format, &str, &[&str]); 13] = [
    (Format::Gltf, "gltf", &["glb", "gltf", "vrm", "vrma"]),
    (Format::Bvh, "bvh", &["bvh"]),
    (Format::Asf, "asf", &["asf"]),
    (Format::Amc, "amc", &["amc"]),
    (Format::Fbx, "fbx", &["fbx"]),
    (Format::Urdf, "urdf", &["urdf"]),
    (Format::Mjcf, "mjcf", &["mjcf", "xml"]),
    (Format::Usd, "usd", &["usd", "usda", "usdc", "usdz"]),
    (Format::C3d, "c3d", &["c3d"]),
    (Format::Trc, "trc", &["trc"]),
    (Format::LegacyJson, "legacy_json", &["json"]),
    (Format::Mmo, "mmo", &["mmo"]),
    (Format::DeepMimic, "deepmimic", &["txt"]),
];

/// How many bytes are looked at to tell a format.
const HEAD: usize = 4096;

impl Format {
    /// All formats.
    pub fn all() -> impl Iterator<Item = Self> {
        FORMATS.iter().map(|(format, ..)| *format)
    }

    /// The name, as `format=` takes it.
    #[must_use]
    pub fn name(self) -> &'static str {
        let entry = FORMATS.iter().find(|(format, ..)| *format == self);
        entry.map_or("?", |(_, name, _)| name)
    }

    /// The suffixes, lower case, the usual one first.
    #[must_use]
    pub fn suffixes(self) -> &'static [&'static str] {
        let entry = FORMATS.iter().find(|(format, ..)| *format == self);
        entry.map_or(&[], |(.., suffixes)| suffixes)
    }

    /// From a name or a suffix, with or without its point.
    ///
    /// # Errors
    /// [`Error::Value`] for any other text.
    pub fn parse(name: &str) -> Result<Self> {
        let lower = name.trim_start_matches('.').to_lowercase();
        Self::of_suffix(&lower)
            .or_else(|| Self::all().find(|format| format.name() == lower))
            .ok_or_else(|| {
                let names: Vec<&str> = Self::all().map(Self::name).collect();
                Error::value(
                    "format",
                    format!("expected one of {}, got {name:?}", names.join(", ")),
                )
            })
    }

    fn of_suffix(suffix: &str) -> Option<Self> {
        Self::all().find(|format| format.suffixes().contains(&suffix))
    }

    /// The format of a file: by what it begins with, else by its suffix.
    ///
    /// # Errors
    /// [`Error::Format`] where neither tells.
    pub fn of(source: &Source<'_>) -> Result<Self> {
        let bytes = source.bytes();
        let head = &bytes[..bytes.len().min(HEAD)];
        Self::sniff(head)
            .or_else(|| Self::of_suffix(&source.suffix()))
            .ok_or_else(|| {
                let names: Vec<&str> = Self::all()
                    .flat_map(|format| format.suffixes().iter().copied())
                    .collect();
                Error::format(
                    "the beginning",
                    format!(
                        "a file whose content or suffix tells its format ({}); pass format= otherwise",
                        names.join(", ")
                    ),
                    match source.suffix().as_str() {
                        "" => "neither".to_owned(),
                        suffix => format!("the suffix '.{suffix}'"),
                    },
                )
                .in_file(&source.name())
            })
    }

    fn sniff(head: &[u8]) -> Option<Self> {
        if head.starts_with(b"glTF") {
            return Some(Self::Gltf);
        }
        if head.starts_with(b"Kaydara FBX Binary") {
            return Some(Self::Fbx);
        }
        let is_package = head.starts_with(b"PK\x03\x04") && has_layer_first(head);
        if head.starts_with(b"PXR-USDC") || head.starts_with(b"#usda") || is_package {
            return Some(Self::Usd);
        }
        let text: String = head.iter().map(|&byte| char::from(byte)).collect();
        let text = text.trim_start_matches(['\u{ef}', '\u{bb}', '\u{bf}']);
        let text = text.trim_start();
        if text.starts_with("; FBX") {
            return Some(Self::Fbx);
        }
        if text.len() >= 9 && text.as_bytes()[..9].eq_ignore_ascii_case(b"HIERARCHY") {
            return Some(Self::Bvh);
        }
        if text.starts_with("PathFileType") {
            return Some(Self::Trc);
        }
        if text.starts_with('<') {
            if text.contains("<robot") {
                return Some(Self::Urdf);
            }
            if text.contains("<mujoco") {
                return Some(Self::Mjcf);
            }
        }
        if text.starts_with('{') {
            if text.contains("\"asset\"") {
                return Some(Self::Gltf);
            }
            if text.contains("\"AttachX\"")
                || (text.contains("\"Frames\"") && !text.contains("\"Skeleton\""))
            {
                return Some(Self::DeepMimic);
            }
            let parts = [
                "Skeleton",
                "BodySkeleton",
                "SkinnedModel",
                "Collision",
                "Locators",
            ];
            if parts.iter().any(|key| text.contains(&format!("\"{key}\""))) {
                return Some(Self::LegacyJson);
            }
        }
        let line = |wanted: &str| text.lines().any(|line| line.trim().starts_with(wanted));
        if line(":FULLY-SPECIFIED") {
            return Some(Self::Amc);
        }
        if line(":version") && (line(":units") || line(":root") || line(":name")) {
            return Some(Self::Asf);
        }
        // The second byte of a C3D header; the first is the place of its parameters.
        if let [place, 0x50, ..] = head
            && (2..=32).contains(place)
            && head.len() >= 512
        {
            return Some(Self::C3d);
        }
        None
    }
}

/// Whether the first file of an archive is called like a layer of USD.
fn has_layer_first(archive: &[u8]) -> bool {
    let length = archive
        .get(26..28)
        .map_or(0, |two| usize::from(two[0]) | usize::from(two[1]) << 8);
    let name = archive
        .get(30..30 + length)
        .unwrap_or_default()
        .to_ascii_lowercase();
    [".usd", ".usda", ".usdc"]
        .iter()
        .any(|suffix| name.ends_with(suffix.as_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn content_comes_before_the_suffix() {
        assert_eq!(Format::sniff(b"glTF\x02\0\0\0"), Some(Format::Gltf));
        assert_eq!(Format::sniff(b"  hierarchy\nROOT a"), Some(Format::Bvh));
        assert_eq!(
            Format::sniff(b"<?xml version='1.0'?><robot name='a'/>"),
            Some(Format::Urdf)
        );
        assert_eq!(Format::sniff(b"<mujoco/>"), Some(Format::Mjcf));
        assert_eq!(Format::sniff(b"{ \"asset\": 1 }"), Some(Format::Gltf));
        // The keys of such a file are often sorted.
        let json = Some(Format::LegacyJson);
        assert_eq!(Format::sniff(b"{ \"Collision\": [] "), json);
        assert_eq!(Format::sniff(b"{ \"Skeleton\": {"), json);
        assert_eq!(Format::sniff(b"hello"), None);
        assert!(Format::of(&Source::from_bytes(b"hello")).is_err());
    }

    #[test]
    fn names_and_suffixes_are_understood() {
        for format in Format::all() {
            assert_eq!(Format::parse(format.name()).unwrap(), format);
            for suffix in format.suffixes() {
                assert_eq!(Format::parse(&format!(".{suffix}")).unwrap(), format);
            }
        }
        assert!(Format::parse("doc").is_err());
    }
}
