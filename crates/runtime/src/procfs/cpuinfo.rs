//! /proc/cpuinfo of a 32-bit kernel on Cortex-A53 (arch/arm/kernel/setup.c: c_show).

use crate::cpu::Cpu;
use std::fmt::Write;

/// The file's text: as many processors as the process may use.
pub fn text(cpu: &Cpu) -> String {
    let processors = std::thread::available_parallelism().map_or(1, usize::from);
    let features: Vec<&str> = cpu.features().collect();
    let features = features.join(" ");
    let architecture = cpu.architecture();
    let machine = cpu.platform();
    let mut text = String::new();
    for n in 0..processors {
        let _ = write!(
            text,
            "processor\t: {n}\n\
             model name\t: ARMv{architecture} Processor rev 4 ({machine})\n\
             BogoMIPS\t: 38.40\n\
             Features\t: {features}\n\
             CPU implementer\t: 0x41\n\
             CPU architecture: {architecture}\n\
             CPU variant\t: 0x0\n\
             CPU part\t: 0xd03\n\
             CPU revision\t: 4\n\n"
        );
    }
    text + "Hardware\t: Generic DT based system\nRevision\t: 0000\nSerial\t\t: 0000000000000000\n"
}

#[cfg(test)]
mod tests {
    #[test]
    fn features_have_the_kernels_names() {
        let text = super::text(crate::cpu::Cpu::host_like());
        assert!(text.contains(
            "Features\t: swp half thumb fastmult vfp edsp neon vfpv3 tls vfpv4 idiva idivt vfpd32 lpae evtstrm \
             aes pmull sha1 sha2 crc32\n"
        ));
    }
}
