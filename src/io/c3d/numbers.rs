//! Numbers as the machine that wrote a file stored them.

/// The kind of machine.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Processor {
    /// Little-endian.
    Intel,
    /// Little-endian integers and VAX floats.
    Dec,
    /// Big-endian.
    Mips,
}

impl Processor {
    /// By the byte that stands in the file.
    pub fn of_code(code: u8) -> Option<Self> {
        match code {
            84 => Some(Self::Intel),
            85 => Some(Self::Dec),
            86 => Some(Self::Mips),
            _ => None,
        }
    }

    pub fn integer(self, bytes: [u8; 2]) -> i16 {
        match self {
            Self::Intel | Self::Dec => i16::from_le_bytes(bytes),
            Self::Mips => i16::from_be_bytes(bytes),
        }
    }

    /// A count: the format has only signed integers, but programs use all 16 bits.
    pub fn count(self, bytes: [u8; 2]) -> u16 {
        self.integer(bytes).cast_unsigned()
    }

    pub fn real(self, bytes: [u8; 4]) -> f64 {
        match self {
            Self::Intel => f32::from_le_bytes(bytes).into(),
            Self::Mips => f32::from_be_bytes(bytes).into(),
            Self::Dec => vax(bytes),
        }
    }
}

/// A VAX float: two little-endian words, the one with sign and exponent first.
fn vax([low, high, last, middle]: [u8; 4]) -> f64 {
    let is_negative = high & 0x80 != 0;
    let exponent = i32::from(high & 0x7f) << 1 | i32::from(low >> 7);
    let fraction =
        u32::from(low & 0x7f) << 16 | u32::from(middle) << 8 | u32::from(last) | 0x80_0000;
    match (exponent, is_negative) {
        (0, false) => 0.0,
        // A reserved operand.
        (0, true) => f64::NAN,
        _ => {
            let size = f64::from(fraction) * f64::from(exponent - 128 - 24).exp2();
            if is_negative { -size } else { size }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::vax;

    /// From the VAX architecture handbook's rules: 1 is `4080`, the exponent's bias is 128, the fraction's
    /// first bit is not stored.
    #[test]
    fn vax_floats_are_what_the_machine_meant() {
        assert_eq!(vax([0x80, 0x40, 0, 0]), 1.0);
        assert_eq!(vax([0x80, 0xc0, 0, 0]), -1.0);
        assert_eq!(vax([0x00, 0x40, 0, 0]), 0.5);
        // `4149 0FDB`, pi in single precision.
        assert_eq!(
            vax([0x49, 0x41, 0xdb, 0x0f]),
            f64::from(std::f32::consts::PI)
        );
        assert_eq!(vax([0, 0, 0, 0]), 0.0);
        assert!(vax([0, 0x80, 0, 0]).is_nan());
        assert_eq!(
            vax([0xff, 0x7f, 0xff, 0xff]),
            (1.0 - 0.5_f64.powi(24)) * 127_f64.exp2()
        );
        assert_eq!(vax([0x80, 0x00, 0, 0]), 0.5_f64.powi(128));
    }
}
