//! Where memory lives, in DLPack's terms.

use std::fmt;

/// The kind of a device.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum DeviceKind {
    /// Ordinary host memory.
    Cpu,
    /// NVIDIA device memory.
    Cuda,
    /// Host memory pinned for CUDA; readable like any host memory.
    CudaHost,
    /// CUDA unified memory.
    CudaManaged,
    /// AMD device memory.
    Rocm,
    /// Apple Metal.
    Metal,
    /// Any other DLPack device code.
    Other(i32),
}

/// A device: kind and index.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Device {
    /// The kind.
    pub kind: DeviceKind,
    /// The index among devices of that kind.
    pub index: i32,
}

impl Device {
    /// Host memory.
    pub const CPU: Self = Self {
        kind: DeviceKind::Cpu,
        index: 0,
    };

    /// From DLPack's `(device_type, device_id)`.
    #[must_use]
    pub fn from_dlpack(code: i32, index: i32) -> Self {
        let kind = match code {
            1 => DeviceKind::Cpu,
            2 => DeviceKind::Cuda,
            3 => DeviceKind::CudaHost,
            8 => DeviceKind::Metal,
            10 => DeviceKind::Rocm,
            13 => DeviceKind::CudaManaged,
            other => DeviceKind::Other(other),
        };
        Self { kind, index }
    }

    /// Whether the host can read the memory directly. The index plays no part: JAX numbers its
    /// virtual CPU devices, yet all of them are host memory.
    #[must_use]
    pub fn is_host(self) -> bool {
        matches!(self.kind, DeviceKind::Cpu | DeviceKind::CudaHost)
    }
}

impl fmt::Display for Device {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.kind {
            DeviceKind::Cpu => write!(f, "cpu"),
            DeviceKind::Cuda => write!(f, "cuda:{}", self.index),
            DeviceKind::CudaHost => write!(f, "cuda_host:{}", self.index),
            DeviceKind::CudaManaged => write!(f, "cuda_managed:{}", self.index),
            DeviceKind::Rocm => write!(f, "rocm:{}", self.index),
            DeviceKind::Metal => write!(f, "metal:{}", self.index),
            DeviceKind::Other(code) => write!(f, "DLPack device {code}:{}", self.index),
        }
    }
}
