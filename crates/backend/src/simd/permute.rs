//! Moves of elements and bytes.

use super::Elem;
use super::lanes::{Lane, by_type};

/// Element `k` of the result is element `$from` of the two operands one after the other; `$n` elements each.
macro_rules! permute {
    ($($name:ident |$k:ident, $n:ident| $from:expr;)*) => {
        $(pub(super) fn $name(e: Elem, a: u128, b: u128) -> u128 {
            fn lanes<T: Lane>(a: u128, b: u128) -> u128 {
                let $n = T::COUNT;
                let _ = $n;
                T::pick(a, b, |$k| $from)
            }
            by_type!(e, lanes(a, b))
        })*
    };
}

permute! {
    uzp1 |k, n| 2 * k;
    uzp2 |k, n| 2 * k + 1;
    zip1 |k, n| k / 2 + n * (k % 2);
    zip2 |k, n| n / 2 + k / 2 + n * (k % 2);
    trn1 |k, n| k - k % 2 + n * (k % 2);
    trn2 |k, n| k - k % 2 + 1 + n * (k % 2);
}

/// The elements of each group of `1 << group` bytes in reverse.
pub(super) fn reverse(e: Elem, a: u128, group: u8) -> u128 {
    fn lanes<T: Lane>(a: u128, flip: usize) -> u128 {
        T::pick(a, a, |k| k ^ flip)
    }
    let flip = (1usize << group.saturating_sub(e.size())) - 1;
    by_type!(e, lanes(a, flip))
}

/// Bytes `n` to `n + 15` of `a` and `b` one after the other.
#[inline(always)]
pub fn ext(a: u128, b: u128, n: u8) -> u128 {
    let n = u32::from(n) & 15;
    if n == 0 { a } else { a >> (8 * n) | b << (128 - 8 * n) }
}

/// Looks the bytes of `index` up in the first `len` bytes of `table`; out of range, the byte of `default`.
pub fn table(table: [u128; 2], len: u8, index: u128, default: u128) -> u128 {
    let mut bytes = [0; 32];
    bytes[..16].copy_from_slice(&table[0].to_le_bytes());
    bytes[16..].copy_from_slice(&table[1].to_le_bytes());
    let len = Ord::min(len, 32);
    let mut result = default.to_le_bytes();
    for (r, k) in result.iter_mut().zip(index.to_le_bytes()) {
        let found = bytes[usize::from(k & 31)];
        *r = if k < len { found } else { *r };
    }
    u128::from_le_bytes(result)
}

/// Every element is the low bits of `x`.
#[inline(always)]
pub fn dup(e: Elem, x: u64) -> u128 {
    const ONES: [u128; 4] =
        [u128::MAX / 0xff, u128::MAX / 0xffff, u128::MAX / 0xffff_ffff, u128::MAX / 0xffff_ffff_ffff_ffff];
    let bits = e.bits();
    u128::from(x << (64 - bits) >> (64 - bits)) * ONES[usize::from(e.size())]
}

/// Element `lane`, zero-extended.
#[inline(always)]
pub fn lane(e: Elem, v: u128, lane: u8) -> u64 {
    let bits = e.bits();
    let x = (v >> ((bits * u32::from(lane)) & 127)) as u64;
    x << (64 - bits) >> (64 - bits)
}

/// `v` with element `lane` replaced.
#[inline(always)]
pub fn set_lane(e: Elem, v: u128, lane: u8, x: u64) -> u128 {
    let bits = e.bits();
    let (mask, shift) = (u128::from(u64::MAX >> (64 - bits)), (bits * u32::from(lane)) & 127);
    v & !(mask << shift) | (u128::from(x) & mask) << shift
}
