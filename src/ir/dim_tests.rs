//! Arithmetic of sizes.

use super::dim::{Dim, DimError};

fn n(name: &str) -> Dim {
    Dim::symbol(name)
}

#[test]
fn equal_polynomials_are_equal() {
    assert_eq!(&n("n") + &Dim::ONE, &Dim::ONE + &n("n"));
    assert_eq!((&(&n("a") + &n("b")) * &n("a")).to_string(), "a*b + a^2");
    assert_eq!((&n("H") - &Dim::number(2)).to_string(), "H - 2");
    assert_eq!(&n("a") - &n("a"), Dim::ZERO);
}

#[test]
fn quotients() {
    let d = n("D").exact_div(&n("h")).unwrap();
    assert_eq!(&d * &n("h"), n("D"));
    assert_eq!(&(&d * &n("T")) * &n("h"), &n("D") * &n("T"));
    // A number that divides both is left out, so equal quotients are equal.
    let twice = &n("H") * &Dim::number(2);
    assert_eq!(twice.exact_div(&Dim::number(4)), n("H").exact_div(&Dim::number(2)));
    assert_eq!(twice.floor_div(&Dim::number(6)), n("H").floor_div(&Dim::number(3)));
    assert_eq!(Dim::number(7).exact_div(&Dim::number(2)), None);
    assert_eq!(Dim::number(-7).floor_div(&Dim::number(2)), Dim::number(-4));
    assert_eq!((&n("H") * &Dim::number(4)).exact_div(&Dim::number(2)).unwrap().to_string(), "2*H");
}

/// Beyond 64 bits nothing is proven, and nothing panics.
#[test]
fn large_numbers() {
    let large = Dim::number(1 << 62);
    let products = [
        &large * &Dim::number(4),
        &(&large * &Dim::number(-4)) + &(&large * &Dim::number(4)),
        &(&n("a") * &large) * &Dim::number(2),
        &n("a") + &(&n("b") * &(&large * &large)),
        (&n("a") * &(&large * &large)).min_with(&n("b")),
    ];
    for product in products {
        assert!(!product.is_exact(), "{product}");
        assert!(!(&product - &Dim::ONE).is_exact(), "{product}");
    }
    let sizes = [("a".into(), large.clone())].into_iter().collect();
    assert_eq!((&n("a") * &Dim::number(2)).evaluate(&sizes), Err(DimError::TooLarge));
    assert_eq!((&n("a") - &Dim::ONE).evaluate(&sizes), Ok((1 << 62) - 1));
    for (a, b) in [(i64::MIN, -1), (i64::MIN, 1), (i64::MAX, -1), (i64::MIN, i64::MIN), (7, i64::MIN)] {
        let quotient = Dim::number(a).floor_div(&Dim::number(b)).as_number().unwrap();
        let exact = i128::from(a).div_euclid(i128::from(b));
        let exact = if b < 0 && exact * i128::from(b) != i128::from(a) { exact - 1 } else { exact };
        assert!(i128::from(quotient) == exact || b == -1 && a == i64::MIN, "{a} / {b}: {quotient}");
    }
}

#[test]
fn bounds() {
    assert!(n("H").at_least(&Dim::ONE));
    assert!(!n("H").at_least(&Dim::number(2)));
    let half = n("H").floor_div(&Dim::number(2));
    assert!(n("H").at_least(&(&half * &Dim::number(2))));
    assert!(!half.at_least(&Dim::ONE));
    assert!((&half * &Dim::number(2)).at_least(&(&n("H") - &Dim::ONE)));
}
