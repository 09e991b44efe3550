//! Slips of the finger.

/// Whether one letter is wrong, missing, too much, or two change places.
pub(super) fn is_one_slip(typed: &str, name: &str) -> bool {
    let (typed, name) = (typed.as_bytes(), name.as_bytes());
    if typed.len().abs_diff(name.len()) > 1 || typed.first() != name.first() {
        return false;
    }
    let same = typed.iter().zip(name).take_while(|(a, b)| a == b).count();
    let (a, b) = (&typed[same..], &name[same..]);
    match (a, b) {
        ([x, y, a @ ..], [z, w, b @ ..]) if x == w && y == z && a == b => true,
        ([_, a @ ..], [_, b @ ..]) if a == b => true,
        ([_, a @ ..], b) if a == b => true,
        (a, [_, b @ ..]) => a == b,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_slip_of_the_finger_is_forgiven() {
        for typed in ["ordedr", "oder", "orders", "ordre", "orfer", "odrer"] {
            assert!(is_one_slip(typed, "order"), "{typed}");
        }
        assert!(is_one_slip("purchaes", "purchase"));
        assert!(!is_one_slip("border", "order") && !is_one_slip("olden", "order"));
    }
}
