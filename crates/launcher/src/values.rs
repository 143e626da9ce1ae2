//! Values of options: numbers, sizes, address ranges, lists.

use forearm_runtime::log::Items;
use std::ffi::{OsStr, OsString};
use std::ops::RangeInclusive;
use std::os::unix::ffi::{OsStrExt, OsStringExt};

/// A number as strtoul with base 0 reads it: 0x is hexadecimal, a leading 0 octal.
pub fn number(text: &str) -> Option<u64> {
    let (digits, base) = match text.strip_prefix("0x").or_else(|| text.strip_prefix("0X")) {
        Some(hex) => (hex, 16),
        None if text.len() > 1 && text.starts_with('0') => (&text[1..], 8),
        None => (text, 10),
    };
    // from_str_radix takes a sign, too.
    if digits.starts_with(['+', '-']) { None } else { u64::from_str_radix(digits, base).ok() }
}

/// A number that fits `T`, or a message.
pub fn integer<T: TryFrom<u64>>(value: &OsStr) -> Result<T, String> {
    let number = value.to_str().and_then(number).and_then(|n| T::try_from(n).ok());
    number.ok_or_else(|| format!("'{}' is not a usable number", value.to_string_lossy()))
}

/// A number of bytes, with `k`, `M` or `G` behind it or not.
pub fn size(value: &OsStr) -> Result<u64, String> {
    let text = value.to_str().unwrap_or_default();
    let (digits, shift) = match text.as_bytes() {
        [.., b'k' | b'K'] => (&text[..text.len() - 1], 10),
        [.., b'm' | b'M'] => (&text[..text.len() - 1], 20),
        [.., b'g' | b'G'] => (&text[..text.len() - 1], 30),
        _ => (text, 0),
    };
    let bytes = number(digits).and_then(|n| n.checked_mul(1 << shift));
    bytes.ok_or_else(|| format!("'{}' is not a usable size", value.to_string_lossy()))
}

/// Address ranges: `START+LENGTH`, `START-LENGTH` (which ends at START) and `START..END`, with commas between.
pub fn ranges(value: &OsStr) -> Result<Vec<RangeInclusive<u32>>, String> {
    let one = |text: &str| -> Option<RangeInclusive<u32>> {
        let address = |text: &str| number(text).and_then(|n| u32::try_from(n).ok());
        if let Some((start, end)) = text.split_once("..") {
            let (start, end) = (address(start)?, address(end)?);
            return (start <= end).then_some(start..=end);
        }
        let at = text.find(['+', '-'])?;
        let (start, len) = (address(&text[..at])?, address(&text[at + 1..])?.checked_sub(1)?);
        if text.as_bytes()[at] == b'+' {
            Some(start..=start.checked_add(len)?)
        } else {
            Some(start.checked_sub(len)?..=start)
        }
    };
    let text = value.to_string_lossy();
    text.split(',').map(|t| one(t).ok_or_else(|| format!("'{t}' is not a range of addresses"))).collect()
}

/// Log items by the words of `table`, with commas between.
pub fn items(value: &OsStr, table: &[super::options::LogItem]) -> Result<Items, String> {
    let mut items = Items::empty();
    let text = value.to_string_lossy();
    for word in text.split(',') {
        if word == "all" {
            items |= Items::all();
            continue;
        }
        let item = table.iter().find(|i| i.word == word);
        let item = item.ok_or_else(|| format!("unknown log item '{word}' (-d help lists them)"))?;
        items |= item.items.ok_or_else(|| format!("log item '{word}': {}", item.help))?;
    }
    Ok(items)
}

/// `VAR=VALUE`, with commas between.
pub fn assignments(value: &OsStr) -> Result<Vec<(OsString, OsString)>, String> {
    let one = |token: &[u8]| {
        let at = token.iter().position(|&b| b == b'=').filter(|&at| at > 0);
        let at = at.ok_or_else(|| format!("'{}' is not VAR=VALUE", String::from_utf8_lossy(token)))?;
        Ok((OsString::from_vec(token[..at].into()), OsString::from_vec(token[at + 1..].into())))
    };
    value.as_bytes().split(|&b| b == b',').map(one).collect()
}

/// Names of variables, with commas between.
pub fn names(value: &OsStr) -> Result<Vec<OsString>, String> {
    let one = |token: &[u8]| {
        if token.is_empty() || token.contains(&b'=') {
            return Err(format!("'{}' is not the name of a variable", String::from_utf8_lossy(token)));
        }
        Ok(OsString::from_vec(token.into()))
    };
    value.as_bytes().split(|&b| b == b',').map(one).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_have_the_bases_of_c() {
        assert_eq!(["0", "10", "010", "0x10", "0X1f"].map(number), [0, 10, 8, 16, 31].map(Some));
        assert_eq!(["", "0x", "-1", "+1", "0x-1", "09", "1k", "99999999999999999999"].map(number), [None; 8]);
    }

    #[test]
    fn sizes_have_suffixes() {
        let size = |s: &str| super::size(s.as_ref()).ok();
        assert_eq!(size("8388608"), Some(8 << 20));
        assert_eq!(size("64k"), Some(64 << 10));
        assert_eq!(size("0x10M"), Some(16 << 20));
        assert_eq!(size("4G"), Some(4 << 30));
        assert_eq!((size("k"), size("8T"), size("99999999999999G")), (None, None, None));
    }

    #[test]
    fn ranges_are_those_of_qemu() {
        let ranges = |s: &str| super::ranges(s.as_ref()).ok();
        assert_eq!(
            ranges("0x8000+0x10,0x8000-0x10,0x10..0x1f"),
            Some(vec![0x8000..=0x800f, 0x7ff1..=0x8000, 0x10..=0x1f])
        );
        for bad in ["", "0x8000", "1+0", "2..1", "0xffffffff+2", "1-3", "x..y", "1..2,"] {
            assert_eq!(ranges(bad), None, "{bad}");
        }
    }

    #[test]
    fn variables_are_split_at_commas() {
        let set = assignments("a=b,c=d=e,f=".as_ref()).expect("valid");
        let set: Vec<_> = set.iter().map(|(k, v)| (k.to_str(), v.to_str())).collect();
        assert_eq!(set, [("a", "b"), ("c", "d=e"), ("f", "")].map(|(k, v)| (Some(k), Some(v))));
        assert!(assignments("a".as_ref()).is_err() && assignments("=b".as_ref()).is_err());
        assert_eq!(names("A,B".as_ref()), Ok(vec!["A".into(), "B".into()]));
        assert!(names("A=1".as_ref()).is_err() && names("".as_ref()).is_err());
    }
}
