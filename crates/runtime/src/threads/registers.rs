//! A thread's registers as a debugger sees them and a signal frame keeps them.

use forearm_backend::CpuState;
use forearm_backend::state::EXCLUSIVE_NONE;

/// The registers of a thread that does not run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Registers {
    /// r0 to r15; r15 is the address of the next instruction.
    pub r: [u32; 16],
    /// CPSR as user mode sees it, execution state included.
    pub cpsr: u32,
    /// d0 to d31.
    pub d: [u64; 32],
    /// FPSCR.
    pub fpscr: u32,
    /// TPIDRURO, the thread pointer.
    pub tls: u32,
}

impl Registers {
    /// Those in `cpu`.
    pub fn of(cpu: &CpuState) -> Registers {
        Registers {
            r: cpu.r,
            cpsr: cpu.cpsr(),
            d: std::array::from_fn(|n| cpu.d(n)),
            fpscr: cpu.fpscr(),
            tls: cpu.tpidruro,
        }
    }

    /// Puts them into `cpu`. The exclusive monitor opens.
    pub fn put(&self, cpu: &mut CpuState) {
        cpu.r = self.r;
        cpu.set_cpsr(self.cpsr);
        if cpu.thumb == 0 {
            cpu.itstate = 0;
            cpu.r[15] &= !3;
        } else {
            cpu.r[15] &= !1;
        }
        for (n, &d) in self.d.iter().enumerate() {
            cpu.set_d(n, d);
        }
        cpu.set_fpscr(self.fpscr);
        cpu.tpidruro = self.tls;
        cpu.exclusive_addr = EXCLUSIVE_NONE;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn registers_survive_the_way_there_and_back() {
        let registers = Registers {
            r: std::array::from_fn(|n| 0x1000 * n as u32),
            cpsr: 0xa80f_0030,
            d: std::array::from_fn(|n| 0x1111_1111_1111_1111 * (n as u64 % 16)),
            fpscr: 0x0300_0010,
            tls: 0xb6f0_0000,
        };
        let mut cpu = CpuState::default();
        registers.put(&mut cpu);
        assert_eq!(Registers::of(&cpu), registers);
        assert_eq!(cpu.thumb, 1);
    }
}
