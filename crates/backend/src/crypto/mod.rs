//! The Cryptographic Extension (Armv8 F6): AES, SHA-1, SHA-256 and the 64-bit polynomial product, on the host's
//! instructions where it has them.

#![allow(improper_ctypes_definitions, reason = "the ABI of x86-64 says how a __m128i is passed")]

/// Makes a table of functions of `CryptoOp`s, in their order.
macro_rules! table {
    ($($(#[$attribute:meta])* $op:ident $with:path;)*) => {
        [$({
            $(#[$attribute])*
            unsafe extern "sysv64" fn function(d: __m128i, n: __m128i, m: __m128i) -> __m128i {
                // SAFETY: a function with a feature is called where the host has it.
                #[allow(unused_unsafe, reason = "some operations are safe")]
                to(unsafe { $with(CryptoOp::$op, from(d), from(n), from(m)) })
            }
            function
        }),*]
    };
}

mod host;
mod portable;

use forearm_frontend::machine::CryptoOp;
use host::{from, to};
use std::arch::x86_64::__m128i;

/// The new Qd of `op`; see `machine::Crypto`.
pub fn crypto(op: CryptoOp, d: u128, n: u128, m: u128) -> u128 {
    use CryptoOp::*;
    let host = match op {
        AesE | AesD | AesMc | AesImc => is_x86_feature_detected!("aes"),
        Sha1C | Sha1P | Sha1M | Sha256H | Sha256H2 | Sha256Su0 | Sha256Su1 => {
            is_x86_feature_detected!("sha") && is_x86_feature_detected!("sse4.1")
        }
        Sha1H | Sha1Su0 | Sha1Su1 => false, // plain integer operations
    };
    if !host {
        return portable::crypto(op, d, n, m);
    }
    // SAFETY: the features were just detected.
    unsafe {
        match op {
            AesE | AesD | AesMc | AesImc => host::aes(op, d, m),
            _ => host::sha(op, d, n, m),
        }
    }
}

/// An operation as compiled code calls it: the operands and the result are in vector registers.
pub type Function = unsafe extern "sysv64" fn(__m128i, __m128i, __m128i) -> __m128i;

/// The functions for this host, by the number of the operation.
pub fn functions() -> &'static [Function; 14] {
    let sha = is_x86_feature_detected!("sha") && is_x86_feature_detected!("sse4.1");
    if sha { &host::FUNCTIONS } else { &ANY_HOST }
}

static ANY_HOST: [Function; 14] = table! {
    AesE crypto; AesD crypto; AesMc crypto; AesImc crypto;
    Sha1C crypto; Sha1P crypto; Sha1M crypto; Sha1H crypto; Sha1Su0 crypto; Sha1Su1 crypto;
    Sha256H crypto; Sha256H2 crypto; Sha256Su0 crypto; Sha256Su1 crypto;
};

/// Carry-less product of two doublewords (VMULL.P64).
pub fn pmull64(a: u64, b: u64) -> u128 {
    if is_x86_feature_detected!("pclmulqdq") {
        // SAFETY: just detected.
        unsafe { host::pmull64(a, b) }
    } else {
        portable::pmull64(a, b)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use CryptoOp::*;

    const OPS: [CryptoOp; 14] = [
        AesE, AesD, AesMc, AesImc, Sha1C, Sha1P, Sha1M, Sha1H, Sha1Su0, Sha1Su1, Sha256H, Sha256H2,
        Sha256Su0, Sha256Su1,
    ];

    /// xorshift: any numbers do.
    fn numbers() -> impl Iterator<Item = u128> {
        let mut x = 0x0123_4567_89ab_cdef_u128 | 0xfedc_ba98_7654_3210 << 64;
        std::iter::repeat_with(move || {
            x ^= x << 23;
            x ^= x >> 17;
            x ^= x << 26;
            x
        })
    }

    #[test]
    fn the_host_and_the_portable_code_agree() {
        let mut numbers = numbers();
        for _ in 0..200 {
            let [d, n, m] = [(); 3].map(|()| numbers.next().expect("endless"));
            for op in OPS {
                assert_eq!(crypto(op, d, n, m), portable::crypto(op, d, n, m), "{op:?} {d:#x} {n:#x} {m:#x}");
            }
            let (a, b) = (d as u64, n as u64);
            assert_eq!(pmull64(a, b), portable::pmull64(a, b), "{a:#x} {b:#x}");
        }
    }

    #[test]
    fn the_tables_are_in_order() {
        let mut numbers = numbers();
        let [d, n, m] = [(); 3].map(|()| numbers.next().expect("endless"));
        for table in [functions(), &ANY_HOST] {
            for op in OPS {
                // SAFETY: for this host.
                let result = unsafe { table[op as usize](to(d), to(n), to(m)) };
                assert_eq!(from(result), portable::crypto(op, d, n, m), "{op:?}");
            }
        }
    }

    #[test]
    fn aes_of_fips_197() {
        // Appendix B: round 1, from the state after AddRoundKey with key 0.
        let state = u128::from_le_bytes(*b"\x32\x43\xf6\xa8\x88\x5a\x30\x8d\x31\x31\x98\xa2\xe0\x37\x07\x34");
        let key = u128::from_le_bytes(*b"\x2b\x7e\x15\x16\x28\xae\xd2\xa6\xab\xf7\x15\x88\x09\xcf\x4f\x3c");
        let shifted = portable::crypto(AesE, state, 0, key);
        assert_eq!(
            shifted.to_le_bytes(),
            *b"\xd4\xbf\x5d\x30\xe0\xb4\x52\xae\xb8\x41\x11\xf1\x1e\x27\x98\xe5"
        );
        let mixed = portable::crypto(AesMc, 0, 0, shifted);
        assert_eq!(mixed.to_le_bytes(), *b"\x04\x66\x81\xe5\xe0\xcb\x19\x9a\x48\xf8\xd3\x7a\x28\x06\x26\x4c");
        assert_eq!(portable::crypto(AesImc, 0, 0, mixed), shifted);
        assert_eq!(portable::crypto(AesD, shifted, 0, 0), state ^ key);
    }

    /// Lanes, lowest first.
    fn lanes(words: [u32; 4]) -> u128 {
        words.iter().rev().fold(0, |x, &w| x << 32 | u128::from(w))
    }

    #[test]
    fn sha256_of_abc() {
        const K: [u32; 64] = {
            // Fractional parts of the cube roots of the first 64 primes, by integer cube root of p * 2^96.
            let (mut k, mut count, mut p) = ([0; 64], 0, 2u128);
            while count < 64 {
                let (mut prime, mut q) = (true, 2);
                while q * q <= p {
                    prime &= p % q != 0;
                    q += 1;
                }
                if prime {
                    let (mut root, mut bit) = (0u128, 1u128 << 35);
                    while bit != 0 {
                        let t = root | bit;
                        if t * t * t <= p << 96 {
                            root = t;
                        }
                        bit >>= 1;
                    }
                    k[count] = root as u32;
                    count += 1;
                }
                p += 1;
            }
            k
        };
        let mut w = [0u32; 16];
        (w[0], w[15]) = (u32::from_be_bytes(*b"abc\x80"), 24);
        let mut w = [0, 4, 8, 12].map(|k| lanes([w[k], w[k + 1], w[k + 2], w[k + 3]]));
        let initial = (
            lanes([0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a]),
            lanes([0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19]),
        );
        let add = |a: u128, b: u128| {
            lanes([0, 32, 64, 96].map(|s| ((a >> s) as u32).wrapping_add((b >> s) as u32)))
        };
        let (mut x, mut y) = initial;
        for round in 0..16 {
            let k = lanes([0, 1, 2, 3].map(|n| K[4 * round + n]));
            let wk = add(w[0], k);
            (x, y) = (crypto(Sha256H, x, y, wk), crypto(Sha256H2, y, x, wk));
            let next = crypto(Sha256Su1, crypto(Sha256Su0, w[0], 0, w[1]), w[2], w[3]);
            w = [w[1], w[2], w[3], next];
        }
        assert_eq!(add(x, initial.0), lanes([0xba7816bf, 0x8f01cfea, 0x414140de, 0x5dae2223]));
        assert_eq!(add(y, initial.1), lanes([0xb00361a3, 0x96177a9c, 0xb410ff61, 0xf20015ad]));
    }

    #[test]
    fn sha1_of_abc() {
        let mut w = [0u32; 16];
        (w[0], w[15]) = (u32::from_be_bytes(*b"abc\x80"), 24);
        let mut w = [0, 4, 8, 12].map(|k| lanes([w[k], w[k + 1], w[k + 2], w[k + 3]]));
        let (initial, initial_e) = (lanes([0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476]), 0xc3d2e1f0u32);
        let add = |a: u128, b: u128| {
            lanes([0, 32, 64, 96].map(|s| ((a >> s) as u32).wrapping_add((b >> s) as u32)))
        };
        let (mut abcd, mut e) = (initial, u128::from(initial_e));
        for round in 0..20 {
            let (op, k) =
                [(Sha1C, 0x5a827999), (Sha1P, 0x6ed9eba1), (Sha1M, 0x8f1bbcdc), (Sha1P, 0xca62c1d6)]
                    [round / 5];
            let wk = add(w[0], lanes([k; 4]));
            let next_e = crypto(Sha1H, 0, 0, abcd);
            (abcd, e) = (crypto(op, abcd, e, wk), next_e);
            let next = crypto(Sha1Su1, crypto(Sha1Su0, w[0], w[1], w[2]), 0, w[3]);
            w = [w[1], w[2], w[3], next];
        }
        assert_eq!(add(abcd, initial), lanes([0xa9993e36, 0x4706816a, 0xba3e2571, 0x7850c26c]));
        assert_eq!((e as u32).wrapping_add(initial_e), 0x9cd0d89d);
    }
}
