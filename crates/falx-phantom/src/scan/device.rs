//! Five made-up scanners.

/// How a scanner stores its numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Storage {
    /// Two's complement, 16 of 16 bits; else unsigned, 12 of 16 bits.
    pub signed: bool,
    /// Rescale intercept.
    pub intercept: i32,
    /// Stored value of pixels outside the reconstruction circle, where they are marked.
    pub padding: Option<i32>,
}

/// A scanner model.
#[derive(Clone, Copy, Debug)]
pub struct Device {
    /// A letter, A to E.
    pub letter: char,
    /// Storage of pixels.
    pub storage: Storage,
    /// Blur of the reconstruction kernel: full width at half maximum in mm.
    pub blur: f32,
    /// Edge enhancement: how much of a wider blur is taken away.
    pub sharpen: f32,
    /// Standard deviation of noise in a slice of 5 mm.
    pub noise: f32,
    /// Width of the noise's grain in mm.
    pub grain: f32,
    /// Rise of HU towards the skull.
    pub cupping: f32,
    /// Depth of the dark bands between the petrous bones.
    pub band: f32,
    /// Slice thickness and table step of the upper head.
    pub slice: f32,
    /// Slice thickness below the brain's base, where it differs.
    pub lower_slice: Option<f32>,
    /// Gantry that can tilt.
    pub tilts: bool,
    /// Tube voltage in kV.
    pub kvp: u32,
    /// Radius of the head holder in mm, and half its opening in radians.
    pub holder: [f32; 2],
    /// Display windows that the scanner writes: centre and width.
    pub windows: &'static [(f32, f32)],
    /// Name of the kernel.
    pub kernel: &'static str,
}

const SIGNED_PADDED: Storage = Storage {
    signed: true,
    intercept: -1024,
    padding: Some(-2000),
};
const UNSIGNED: Storage = Storage {
    signed: false,
    intercept: -1024,
    padding: None,
};
const SIGNED_PLAIN: Storage = Storage {
    signed: true,
    intercept: 0,
    padding: None,
};

/// The five scanners.
pub const DEVICES: [Device; 5] = [
    Device {
        letter: 'A',
        storage: SIGNED_PADDED,
        blur: 1.0,
        sharpen: 0.0,
        noise: 3.6,
        grain: 0.85,
        cupping: 3.0,
        band: 12.0,
        slice: 5.0,
        lower_slice: None,
        tilts: true,
        kvp: 120,
        holder: [118.0, 1.15],
        windows: &[(40.0, 80.0)],
        kernel: "STANDARD",
    },
    Device {
        letter: 'B',
        storage: UNSIGNED,
        blur: 0.85,
        sharpen: 0.15,
        noise: 4.4,
        grain: 0.7,
        cupping: 2.2,
        band: 9.0,
        slice: 5.0,
        lower_slice: None,
        tilts: true,
        kvp: 120,
        holder: [104.0, 1.35],
        windows: &[(40.0, 80.0), (600.0, 2800.0)],
        kernel: "H31s",
    },
    Device {
        letter: 'C',
        storage: UNSIGNED,
        blur: 1.15,
        sharpen: 0.0,
        noise: 3.2,
        grain: 1.0,
        cupping: 2.6,
        band: 8.0,
        slice: 5.0,
        lower_slice: None,
        tilts: false,
        kvp: 120,
        holder: [126.0, 1.0],
        windows: &[(35.0, 80.0), (35.0, 80.0)],
        kernel: "UB",
    },
    Device {
        letter: 'D',
        storage: SIGNED_PLAIN,
        blur: 0.75,
        sharpen: 0.3,
        noise: 4.2,
        grain: 0.62,
        cupping: 3.4,
        band: 10.0,
        slice: 4.0,
        lower_slice: None,
        tilts: false,
        kvp: 120,
        holder: [110.0, 1.25],
        windows: &[(40.0, 100.0)],
        kernel: "FC26",
    },
    Device {
        letter: 'E',
        storage: SIGNED_PADDED,
        blur: 1.25,
        sharpen: 0.0,
        noise: 4.3,
        grain: 0.85,
        cupping: 5.0,
        band: 18.0,
        slice: 5.0,
        lower_slice: Some(2.5),
        tilts: true,
        kvp: 140,
        holder: [115.0, 1.3],
        windows: &[(40.0, 80.0)],
        kernel: "SOFT",
    },
];
