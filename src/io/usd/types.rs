//! The types of attributes: how many numbers a value has, and in which order.

/// What a value of a type looks like.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Shape {
    /// Tuples of so many numbers; 1 is a number by itself.
    Tuple(usize),
    /// Square matrices of so many rows.
    Matrix(usize),
    /// Quaternions.
    Quaternion,
    /// Strings, tokens, assets.
    Text,
    /// No value, or one that no character needs.
    Opaque,
}

impl Shape {
    /// From the name of a type without its brackets; `None` where there is none such.
    pub fn of(name: &str) -> Option<Self> {
        const ROLES: [&str; 6] = ["color", "normal", "point", "vector", "texCoord", "frame"];
        Some(match name {
            "bool" | "uchar" | "int" | "uint" | "int64" | "uint64" | "half" | "float"
            | "double" | "timecode" => Self::Tuple(1),
            "string" | "token" | "asset" | "pathExpression" => Self::Text,
            "quath" | "quatf" | "quatd" => Self::Quaternion,
            "matrix2d" => Self::Matrix(2),
            "matrix3d" => Self::Matrix(3),
            "matrix4d" | "frame4d" => Self::Matrix(4),
            "opaque" | "group" | "dictionary" => Self::Opaque,
            "int2" | "half2" | "float2" | "double2" => Self::Tuple(2),
            "int3" | "half3" | "float3" | "double3" => Self::Tuple(3),
            "int4" | "half4" | "float4" | "double4" => Self::Tuple(4),
            name => {
                let role = ROLES.iter().find_map(|role| name.strip_prefix(role))?;
                match role {
                    "2h" | "2f" | "2d" => Self::Tuple(2),
                    "3h" | "3f" | "3d" => Self::Tuple(3),
                    "4h" | "4f" | "4d" => Self::Tuple(4),
                    _ => return None,
                }
            }
        })
    }
}
