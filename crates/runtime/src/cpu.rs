//! The processor that the guest is told about: `-cpu`.
//!
//! A model decides what AT_HWCAP, AT_PLATFORM, /proc/cpuinfo and uname say, so that programs choose their code paths
//! as on that processor. Instructions it lacks are executed all the same.

/// A feature: its name in /proc/cpuinfo and its bit in AT_HWCAP (arch/arm/include/uapi/asm/hwcap.h).
const FEATURES: &[(&str, u32)] = &[
    ("swp", 0),
    ("half", 1),
    ("thumb", 2),
    ("fastmult", 4),
    ("vfp", 6),
    ("edsp", 7),
    ("neon", 12),
    ("vfpv3", 13),
    ("tls", 15),
    ("vfpv4", 16),
    ("idiva", 17),
    ("idivt", 18),
    ("vfpd32", 19),
    ("lpae", 20),
    ("evtstrm", 21),
];

/// The ARMv8 additions: name in /proc/cpuinfo and bit in AT_HWCAP2.
const FEATURES2: &[(&str, u32)] = &[("aes", 0), ("pmull", 1), ("sha1", 2), ("sha2", 3), ("crc32", 4)];

const ARMV4T: u32 = 0b111 | 1 << 4;
const ARMV5TE: u32 = ARMV4T | 1 << 7;
const VFP: u32 = 1 << 6;
const ARMV6: u32 = ARMV5TE | VFP | 1 << 15;
const ARMV7: u32 = ARMV6 | 1 << 12 | 1 << 13 | 1 << 19;
const ARMV7VE: u32 = ARMV7 | 0b111 << 16 | 1 << 20 | 1 << 21;
const ARMV8: u32 = 0b1_1111;

/// A processor model.
#[derive(Debug, PartialEq, Eq)]
pub struct Cpu {
    /// Its name, as QEMU has it.
    pub name: &'static str,
    /// AT_HWCAP.
    pub hwcap: u32,
    /// AT_HWCAP2.
    pub hwcap2: u32,
    /// The machine that uname names; without the leading `arm` it is AT_PLATFORM.
    pub machine: &'static str,
}

const fn cpu(name: &'static str, hwcap: u32, hwcap2: u32, machine: &'static str) -> Cpu {
    Cpu { name, hwcap, hwcap2, machine }
}

/// The models; the first is the default, what a 32-bit kernel on Cortex-A53 reports.
pub const MODELS: &[Cpu] = &[
    cpu("max", ARMV7VE, ARMV8, "armv7l"),
    cpu("any", ARMV7VE, ARMV8, "armv7l"),
    cpu("cortex-a53", ARMV7VE, ARMV8, "armv7l"),
    cpu("cortex-a57", ARMV7VE, ARMV8, "armv7l"),
    cpu("cortex-a72", ARMV7VE, ARMV8, "armv7l"),
    cpu("cortex-a15", ARMV7VE, 0, "armv7l"),
    cpu("cortex-a7", ARMV7VE, 0, "armv7l"),
    cpu("cortex-a8", ARMV7, 0, "armv7l"),
    cpu("cortex-a9", ARMV7, 0, "armv7l"),
    cpu("arm1136", ARMV6, 0, "armv6l"),
    cpu("arm1136-r2", ARMV6, 0, "armv6l"),
    cpu("arm1176", ARMV6, 0, "armv6l"),
    cpu("arm11mpcore", ARMV6, 0, "armv6l"),
    cpu("arm926", ARMV5TE | VFP, 0, "armv5tejl"),
    cpu("arm946", ARMV5TE, 0, "armv5tel"),
    cpu("arm1026", ARMV5TE | VFP, 0, "armv5tejl"),
    cpu("pxa250", ARMV5TE, 0, "armv5tel"),
    cpu("pxa255", ARMV5TE, 0, "armv5tel"),
    cpu("pxa260", ARMV5TE, 0, "armv5tel"),
    cpu("pxa261", ARMV5TE, 0, "armv5tel"),
    cpu("pxa262", ARMV5TE, 0, "armv5tel"),
    cpu("pxa270", ARMV5TE, 0, "armv5tel"),
    cpu("ti925t", ARMV4T, 0, "armv4tl"),
];

impl Cpu {
    /// The default.
    pub fn host_like() -> &'static Cpu {
        &MODELS[0]
    }

    /// The model of that name.
    pub fn find(name: &str) -> Option<&'static Cpu> {
        MODELS.iter().find(|c| c.name == name)
    }

    /// AT_PLATFORM.
    pub fn platform(&self) -> &'static str {
        self.machine.strip_prefix("arm").unwrap_or(self.machine)
    }

    /// The features by name, as /proc/cpuinfo lists them.
    pub fn features(&self) -> impl Iterator<Item = &'static str> {
        let of = |list: &'static [(&str, u32)], bits: u32| {
            list.iter().filter(move |&&(_, bit)| bits >> bit & 1 != 0).map(|&(name, _)| name)
        };
        of(FEATURES, self.hwcap).chain(of(FEATURES2, self.hwcap2))
    }

    /// Which architecture /proc/cpuinfo names.
    pub fn architecture(&self) -> u32 {
        self.machine.bytes().find(u8::is_ascii_digit).map_or(7, |b| u32::from(b - b'0'))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn models_have_the_kernels_features() {
        let features = |name| Cpu::find(name).map(|c| c.features().collect::<Vec<_>>().join(" "));
        assert_eq!(
            features("max").as_deref(),
            Some(
                "swp half thumb fastmult vfp edsp neon vfpv3 tls vfpv4 idiva idivt vfpd32 lpae evtstrm aes pmull \
                 sha1 sha2 crc32"
            )
        );
        assert_eq!(features("arm1176").as_deref(), Some("swp half thumb fastmult vfp edsp tls"));
        assert_eq!(features("cortex-m4"), None);
        assert_eq!(Cpu::find("arm1176").map(|c| (c.platform(), c.architecture())), Some(("v6l", 6)));
    }
}
