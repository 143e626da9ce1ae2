//! SysV shared memory in the guest's address space (ipc/shm.c: do_shmat, ksys_shmdt).

use super::{Errno, Label, Memory, PAGE, SysResult, TASK_SIZE, Vma, page_up};

/// Attach addresses are multiples of this on ARM (arm64: COMPAT_SHMLBA).
const SHMLBA: u64 = 4 * PAGE;

impl Memory {
    /// shmat: attaches segment `id` and returns its address.
    ///
    /// # Errors
    /// EINVAL, ENOMEM; EACCES, EIDRM from the host.
    pub fn attach_shm(&self, id: i32, addr: u32, flags: i32) -> SysResult {
        let mut start = u64::from(addr);
        if start % SHMLBA != 0 {
            if flags & libc::SHM_RND == 0 {
                return Err(Errno(libc::EINVAL));
            }
            start &= !(SHMLBA - 1);
        }
        if start == 0 && (addr != 0 || flags & libc::SHM_REMAP != 0) {
            return Err(Errno(libc::EINVAL));
        }
        // SAFETY: plain data filled by the kernel.
        let len = unsafe {
            let mut stat: libc::shmid_ds = std::mem::zeroed();
            if libc::shmctl(id, libc::IPC_STAT, &mut stat) < 0 {
                return Err(Errno::last());
            }
            page_up(stat.shm_segsz as u64)
        };
        let mut map = self.lock();
        if start == 0 {
            start = self.place(&map, 0, len, SHMLBA, None).ok_or(Errno(libc::ENOMEM))?;
        } else if start + len > TASK_SIZE
            || flags & libc::SHM_REMAP == 0 && !map.vmas.is_free(start..start + len)
        {
            return Err(Errno(libc::EINVAL));
        }
        let range = start..start + len;
        let had_code = map.vmas.has_code(range.clone());
        let host_flags = flags & !(libc::SHM_EXEC | libc::SHM_RND) | libc::SHM_REMAP;
        // SAFETY: the range is the guest's; SHM_REMAP replaces only what is in it.
        if unsafe { libc::shmat(id, self.host(start), host_flags) } as isize == -1 {
            return Err(Errno::last());
        }
        let write = if flags & libc::SHM_RDONLY == 0 { libc::PROT_WRITE } else { 0 };
        let exec = if flags & libc::SHM_EXEC != 0 { libc::PROT_EXEC } else { 0 };
        let prot = libc::PROT_READ | write | exec;
        map.vmas
            .insert(start, Vma { end: range.end, prot, shared: true, grows_down: false, label: Label::None });
        map.shm.insert(start, len);
        drop(map);
        self.forget_code(had_code, range);
        Ok(start as u32)
    }

    /// shmdt.
    ///
    /// # Errors
    /// EINVAL when nothing is attached at `addr`.
    pub fn detach_shm(&self, addr: u32) -> SysResult {
        let start = u64::from(addr);
        let mut map = self.lock();
        let len = map.shm.remove(&start).ok_or(Errno(libc::EINVAL))?;
        // SAFETY: a segment of the guest's.
        if unsafe { libc::shmdt(self.host(start)) } < 0 {
            return Err(Errno::last());
        }
        let range = start..start + len;
        let had_code = map.vmas.has_code(range.clone());
        map.vmas.remove(range.clone());
        if self.base() != 0 {
            self.unmap_host(range.clone())?;
        }
        drop(map);
        self.forget_code(had_code, range);
        Ok(0)
    }
}
