//! Letters for pictures of pixels: the Simplex letters that A. V. Hershey of the U.S. National Bureau of Standards
//! drew as strokes in 1967. They are public domain.
//!
//! A row of [`STROKES`] begins with the left and the right end of a letter; then follow points, two characters
//! each, how far they are from `R`: to the right and down. A space in the place of the first begins a new stroke.

/// Where a line of text stands, and how high capital letters are.
const BASE: f64 = 9.0;
const CAPITAL: f64 = 21.0;
/// Capital letters are this part of the size of a font.
const SHARE: f64 = 0.70;

/// A text as strokes from (0, 0), its left end on the line, and its width.
pub fn strokes(text: &str, size: f64) -> (Vec<Vec<(f64, f64)>>, f64) {
    let scale = size * SHARE / CAPITAL;
    let mut found = Vec::new();
    let mut width = 0.0;
    for character in text.chars() {
        let (row, accent) = row_of(character);
        let bytes = row.as_bytes();
        let (left, right) = (offset(bytes[0]), offset(bytes[1]));
        let moved = |(x, y): (f64, f64)| (width + (x - left) * scale, (y - BASE) * scale);
        let mut stroke = Vec::new();
        for pair in bytes[2..].chunks_exact(2).chain([&b" R"[..]]) {
            if pair[0] == b' ' {
                found.extend(Some(std::mem::take(&mut stroke)).filter(|stroke: &Vec<_>| !stroke.is_empty()));
            } else {
                stroke.push(moved((offset(pair[0]), offset(pair[1]))));
            }
        }
        let above = if character.is_uppercase() { -15.0 } else { -8.0 };
        found.extend(accent.iter().map(|stroke| stroke.iter().map(|(x, y)| moved((*x, y + above))).collect()));
        width += (right - left) * scale;
    }
    (found, width)
}

fn offset(byte: u8) -> f64 {
    f64::from(byte) - f64::from(b'R')
}

type Accent = &'static [&'static [(f64, f64)]];

const GRAVE: Accent = &[&[(-3.0, -3.0), (1.0, 0.0)]];
const ACUTE: Accent = &[&[(3.0, -3.0), (-1.0, 0.0)]];
const CIRCUMFLEX: Accent = &[&[(-4.0, 0.0), (0.0, -4.0), (4.0, 0.0)]];
const TILDE: Accent = &[&[(-5.0, 0.0), (-2.5, -2.0), (2.5, 0.0), (5.0, -2.0)]];
const DIAERESIS: Accent = &[&[(-3.5, -1.0), (-3.5, -0.9)], &[(3.5, -1.0), (3.5, -0.9)]];

/// The strokes of a character, and an accent above. What has none is a frame.
fn row_of(character: char) -> (&'static str, Accent) {
    let of = |letter: char| (letter as usize).checked_sub(32).and_then(|at| STROKES.get(at)).copied();
    if let Some(row) = of(character) {
        return (row, &[]);
    }
    let accents = [
        ("àèìòùÀÈÌÒÙ", "aeiouAEIOU", GRAVE),
        ("áéíóúýÁÉÍÓÚÝ", "aeiouyAEIOUY", ACUTE),
        ("âêîôûÂÊÎÔÛ", "aeiouAEIOU", CIRCUMFLEX),
        ("ãñõÃÑÕ", "anoANO", TILDE),
        ("äëïöüÿÄËÏÖÜ", "aeiouyAEIOU", DIAERESIS),
        ("−–—’‘“”·×", "---''\"\".x", &[]),
    ];
    let found = accents.into_iter().find_map(|(whole, letters, accent)| {
        let at = whole.chars().position(|known| known == character)?;
        Some((of(letters.chars().nth(at)?)?, accent))
    });
    found.unwrap_or(("H\\JFJ[Z[ZFJF", &[]))
}

/// From the space to `~`.
#[rustfmt::skip]
const STROKES: [&str; 95] = [
    r#"JZ"#,
    r#"MWRFRT RRYQZR[SZRY"#,
    r#"JZNFNM RVFVM"#,
    r#"H]SBLb RYBRb RLOZO RKUYU"#,
    r#"H\PBP_ RTBT_ RYIWGTFPFMGKIKKLMMNOOUQWRXSYUYXWZT[P[MZKX"#,
    r#"F^[FI[ RNFPHPJOLMMKMIKIIJGLFNFPGSHVHYG[F RWTUUTWTYV[X[ZZ[X[VYTWT"#,
    r#"E_\O\N[MZMYNXPVUTXRZP[L[JZIYHWHUISJRQNRMSKSIRGPFNGMIMKNNPQUXWZY[[[\Z\Y"#,
    r#"MWRHQGRFSGSIRKQL"#,
    r#"KYVBTDRGPKOPOTPYR]T`Vb"#,
    r#"KYNBPDRGTKUPUTTYR]P`Nb"#,
    r#"JZRFRR RMIWO RWIMO"#,
    r#"E_RIR[ RIR[R"#,
    r#"MWSZR[QZRYSZS\R^Q_"#,
    r#"E_IR[R"#,
    r#"MWRYQZR[SZRY"#,
    r#"G][BIb"#,
    r#"H\QFNGLJKOKRLWNZQ[S[VZXWYRYOXJVGSFQF"#,
    r#"H\NJPISFS["#,
    r#"H\LKLJMHNGPFTFVGWHXJXLWNUQK[Y["#,
    r#"H\MFXFRNUNWOXPYSYUXXVZS[P[MZLYKW"#,
    r#"H\UFKTZT RUFU["#,
    r#"H\WFMFLOMNPMSMVNXPYSYUXXVZS[P[MZLYKW"#,
    r#"H\XIWGTFRFOGMJLOLTMXOZR[S[VZXXYUYTXQVOSNRNOOMQLT"#,
    r#"H\YFO[ RKFYF"#,
    r#"H\PFMGLILKMMONSOVPXRYTYWXYWZT[P[MZLYKWKTLRNPQOUNWMXKXIWGTFPF"#,
    r#"H\XMWPURRSQSNRLPKMKLLINGQFRFUGWIXMXRWWUZR[P[MZLX"#,
    r#"MWRMQNROSNRM RRYQZR[SZRY"#,
    r#"MWRMQNROSNRM RSZR[QZRYSZS\R^Q_"#,
    r#"F^ZIJRZ["#,
    r#"E_IO[O RIU[U"#,
    r#"F^JIZRJ["#,
    r#"I[LKLJMHNGPFTFVGWHXJXLWNVORQRT RRYQZR[SZRY"#,
    r#"E`WNVLTKQKOLNMMPMSNUPVSVUUVS RQKOMNPNSOUPV RWKVSVUXVZV\T]Q]O\L[JYHWGTFQFNGLHJJILHOHRIUJWLYNZQ[T[WZYYZX RXKWSWUXV"#,
    r#"I[RFJ[ RRFZ[ RMTWT"#,
    r#"G\KFK[ RKFTFWGXHYJYLXNWOTP RKPTPWQXRYTYWXYWZT[K["#,
    r#"H]ZKYIWGUFQFOGMILKKNKSLVMXOZQ[U[WZYXZV"#,
    r#"G\KFK[ RKFRFUGWIXKYNYSXVWXUZR[K["#,
    r#"H[LFL[ RLFYF RLPTP RL[Y["#,
    r#"HZLFL[ RLFYF RLPTP"#,
    r#"H]ZKYIWGUFQFOGMILKKNKSLVMXOZQ[U[WZYXZVZS RUSZS"#,
    r#"G]KFK[ RYFY[ RKPYP"#,
    r#"NVRFR["#,
    r#"JZVFVVUYTZR[P[NZMYLVLT"#,
    r#"G\KFK[ RYFKT RPOY["#,
    r#"HYLFL[ RL[X["#,
    r#"F^JFJ[ RJFR[ RZFR[ RZFZ["#,
    r#"G]KFK[ RKFY[ RYFY["#,
    r#"G]PFNGLIKKJNJSKVLXNZP[T[VZXXYVZSZNYKXIVGTFPF"#,
    r#"G\KFK[ RKFTFWGXHYJYMXOWPTQKQ"#,
    r#"G]PFNGLIKKJNJSKVLXNZP[T[VZXXYVZSZNYKXIVGTFPF RSWY]"#,
    r#"G\KFK[ RKFTFWGXHYJYLXNWOTPKP RRPY["#,
    r#"H\YIWGTFPFMGKIKKLMMNOOUQWRXSYUYXWZT[P[MZKX"#,
    r#"JZRFR[ RKFYF"#,
    r#"G]KFKULXNZQ[S[VZXXYUYF"#,
    r#"I[JFR[ RZFR["#,
    r#"F^HFM[ RRFM[ RRFW[ R\FW["#,
    r#"H\KFY[ RYFK["#,
    r#"I[JFRPR[ RZFRP"#,
    r#"H\YFK[ RKFYF RK[Y["#,
    r#"KYOBOb RPBPb ROBVB RObVb"#,
    r#"KYKFY^"#,
    r#"KYTBTb RUBUb RNBUB RNbUb"#,
    r#"JZPLRITL RMORJWO RRJR["#,
    r#"JZJ]Z]"#,
    r#"MWSFRGQIQKRLSKRJ"#,
    r#"I\XMX[ RXPVNTMQMONMPLSLUMXOZQ[T[VZXX"#,
    r#"H[LFL[ RLPNNPMSMUNWPXSXUWXUZS[P[NZLX"#,
    r#"I[XPVNTMQMONMPLSLUMXOZQ[T[VZXX"#,
    r#"I\XFX[ RXPVNTMQMONMPLSLUMXOZQ[T[VZXX"#,
    r#"I[LSXSXQWOVNTMQMONMPLSLUMXOZQ[T[VZXX"#,
    r#"MYWFUFSGRJR[ ROMVM"#,
    r#"I\XMX]W`VaTbQbOa RXPVNTMQMONMPLSLUMXOZQ[T[VZXX"#,
    r#"I\MFM[ RMQPNRMUMWNXQX["#,
    r#"NVQFRGSFREQF RRMR["#,
    r#"MWRFSGTFSERF RSMS^RaPbNb"#,
    r#"IZMFM[ RWMMW RQSX["#,
    r#"NVRFR["#,
    r#"CaGMG[ RGQJNLMOMQNRQR[ RRQUNWMZM\N]Q]["#,
    r#"I\MMM[ RMQPNRMUMWNXQX["#,
    r#"I\QMONMPLSLUMXOZQ[T[VZXXYUYSXPVNTMQM"#,
    r#"H[LMLb RLPNNPMSMUNWPXSXUWXUZS[P[NZLX"#,
    r#"I\XMXb RXPVNTMQMONMPLSLUMXOZQ[T[VZXX"#,
    r#"KXOMO[ ROSPPRNTMWM"#,
    r#"J[XPWNTMQMNNMPNRPSUTWUXWXXWZT[Q[NZMX"#,
    r#"MYRFRWSZU[W[ ROMVM"#,
    r#"I\MMMWNZP[S[UZXW RXMX["#,
    r#"JZLMR[ RXMR["#,
    r#"G]JMN[ RRMN[ RRMV[ RZMV["#,
    r#"J[MMX[ RXMM["#,
    r#"JZLMR[ RXMR[P_NaLbKb"#,
    r#"J[XMM[ RMMXM RM[X["#,
    r#"KYTBRCQDPFPHQJRKSMSOQQ RRCQEQGRISJTLTNSPORSTTVTXSZR[Q]Q_Ra RQSSUSWRYQZP\P^Q`RaTb"#,
    r#"NVRBRb"#,
    r#"KYPBRCSDTFTHSJRKQMQOSQ RRCSESGRIQJPLPNQPURQTPVPXQZR[S]S_Ra RSSQUQWRYSZT\T^S`RaPb"#,
    r#"F^IUISJPLONOPPTSVTXTZS[Q RISJQLPNPPQTTVUXUZT[Q[O"#,
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn letters_stand_on_the_line() {
        let (strokes, width) = strokes("A", 10.0);
        let ends = |pick: fn(&(f64, f64)) -> f64| {
            let all = || strokes.iter().flatten().map(pick);
            (all().fold(f64::INFINITY, f64::min), all().fold(f64::NEG_INFINITY, f64::max))
        };
        let (top, foot) = ends(|point| point.1);
        assert!((foot - 0.0).abs() < 1e-9 && (top + 7.0).abs() < 1e-9, "{top} to {foot}");
        let (left, right) = ends(|point| point.0);
        assert!(left >= 0.0 && right <= width);
    }

    #[test]
    fn every_character_is_something() {
        for character in (' '..='~').skip(1).chain("äÉñ−漢".chars()) {
            assert!(!strokes(&character.to_string(), 12.0).0.is_empty(), "{character}");
        }
    }
}
