//! Objects, how they are connected, and the file around them.

use std::collections::BTreeMap;

use super::axes::Axes;
use super::record::{CREATION_TIME, FILE_ID, Record, VERSION, Value, file};
use crate::error::Result;

/// Ticks of the clock of FBX in a second.
const TICKS: f64 = 46_186_158_000.0;

/// The time of a frame in ticks.
pub(super) fn ticks(frame: usize, fps: f64) -> i64 {
    (frame as f64 * TICKS / fps).round() as i64
}

/// The number of an object in its file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Id(pub i64);

impl From<Id> for Value {
    fn from(id: Id) -> Self {
        Self::Long(id.0)
    }
}

/// The node that holds all others.
pub(super) const ROOT: Id = Id(0);

/// A property of an object: its name, kind, and values.
pub(super) struct Property(Record);

impl Property {
    /// A property with its kind in two words and its flags.
    pub fn new(name: &str, kind: [&str; 2], flags: &str) -> Self {
        Self(
            Record::new("P")
                .with(name)
                .with(kind[0])
                .with(kind[1])
                .with(flags),
        )
    }

    pub fn value(mut self, value: impl Into<Value>) -> Self {
        self.0 = self.0.with(value);
        self
    }

    /// A number of seven kinds, all whole.
    pub fn int(name: &str, value: i32) -> Self {
        Self::new(name, ["int", "Integer"], "").value(value)
    }

    pub fn number(name: &str, value: f64) -> Self {
        Self::new(name, ["double", "Number"], "").value(value)
    }

    pub fn choice(name: &str, value: i32) -> Self {
        Self::new(name, ["enum", ""], "").value(value)
    }

    pub fn time(name: &str, value: i64) -> Self {
        Self::new(name, ["KTime", "Time"], "").value(value)
    }

    /// Three numbers; `kind` such as `Lcl Translation` for those that animations move.
    pub fn vector(name: &str, kind: [&str; 2], flags: &str, xyz: [f64; 3]) -> Self {
        let [x, y, z] = xyz;
        Self::new(name, kind, flags).value(x).value(y).value(z)
    }
}

/// The record of an object's properties.
pub(super) fn properties(list: impl IntoIterator<Item = Property>) -> Record {
    Record::new("Properties70").all(list.into_iter().map(|property| property.0))
}

/// Objects while they are gathered.
#[derive(Default)]
pub(super) struct Scene {
    objects: Vec<Record>,
    connections: Vec<Record>,
    counts: BTreeMap<&'static str, i32>,
    next: i64,
    pub warnings: Vec<String>,
}

impl Scene {
    /// A new object's record, such as `Model` `name` of the class `Model` and the kind `LimbNode`.
    pub fn object(
        &mut self,
        record: &'static str,
        name: &str,
        class: &str,
        kind: &str,
    ) -> (Id, Record) {
        self.next += 1;
        *self.counts.entry(record).or_insert(0) += 1;
        // Multiples keep the numbers clear of those that programs reserve.
        let id = Id(1_000_000 + self.next);
        let full = format!("{name}\0\u{1}{class}");
        (id, Record::new(record).with(id).with(full).with(kind))
    }

    pub fn add(&mut self, record: Record) {
        self.objects.push(record);
    }

    pub fn connect(&mut self, child: Id, parent: Id) {
        self.connections
            .push(Record::new("C").with("OO").with(child).with(parent));
    }

    pub fn connect_property(&mut self, child: Id, parent: Id, property: &str) {
        let record = Record::new("C").with("OP").with(child).with(parent);
        self.connections.push(record.with(property));
    }

    pub fn warn(&mut self, warning: impl Into<String>) {
        let warning = warning.into();
        if !self.warnings.contains(&warning) {
            self.warnings.push(warning);
        }
    }

    /// The file.
    pub fn finish(self, axes: Axes, clock: Clock) -> Result<Vec<u8>> {
        let creator = concat!("kinarray ", env!("CARGO_PKG_VERSION"));
        let header = Record::new("FBXHeaderExtension")
            .field("FBXHeaderVersion", 1003)
            .field("FBXVersion", VERSION as i32)
            .field("EncryptionType", 0)
            .field("Creator", creator);
        let total: i32 = self.counts.values().sum::<i32>() + 1;
        let kinds = self
            .counts
            .iter()
            .map(|(&kind, &count)| Record::new("ObjectType").with(kind).field("Count", count));
        let definitions = Record::new("Definitions")
            .field("Version", 100)
            .field("Count", total)
            .inside(
                Record::new("ObjectType")
                    .with("GlobalSettings")
                    .field("Count", 1),
            )
            .all(kinds);
        let document = Record::new("Document")
            .with(999_999_i64)
            .with("")
            .with("Scene")
            .inside(properties([]))
            .field("RootNode", 0_i64);
        file(&[
            header,
            Record::new("FileId").with(Value::Bytes(FILE_ID.to_vec())),
            Record::new("CreationTime").with(CREATION_TIME),
            Record::new("Creator").with(creator),
            settings(axes, clock),
            Record::new("Documents").field("Count", 1).inside(document),
            Record::new("References"),
            definitions,
            Record::new("Objects").all(self.objects),
            Record::new("Connections").all(self.connections),
            Record::new("Takes").field("Current", clock.take),
        ])
    }
}

/// The clock of a file: its frame rate, and what it plays.
#[derive(Clone, Copy)]
pub(super) struct Clock {
    pub fps: f64,
    pub n_frames: usize,
    pub take: &'static str,
}

fn settings(axes: Axes, clock: Clock) -> Record {
    let [up, front, side] = axes.settings();
    let mode = [
        (120.0, 1),
        (100.0, 2),
        (60.0, 3),
        (50.0, 4),
        (48.0, 5),
        (30.0, 6),
        (25.0, 10),
        (24.0, 11),
    ];
    let mode = mode
        .iter()
        .find(|(fps, _)| *fps == clock.fps)
        .map_or(14, |(_, mode)| *mode);
    let end = ticks(clock.n_frames.saturating_sub(1), clock.fps);
    Record::new("GlobalSettings")
        .field("Version", 1000)
        .inside(properties([
            Property::int("UpAxis", up.0),
            Property::int("UpAxisSign", up.1),
            Property::int("FrontAxis", front.0),
            Property::int("FrontAxisSign", front.1),
            Property::int("CoordAxis", side.0),
            Property::int("CoordAxisSign", side.1),
            Property::int("OriginalUpAxis", up.0),
            Property::int("OriginalUpAxisSign", up.1),
            Property::number("UnitScaleFactor", 1.0),
            Property::number("OriginalUnitScaleFactor", 1.0),
            Property::choice("TimeMode", mode),
            Property::number("CustomFrameRate", clock.fps),
            Property::time("TimeSpanStart", 0),
            Property::time("TimeSpanStop", end),
        ]))
}
