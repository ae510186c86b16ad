//! Emitted code against an independent disassembler: the bytes mean what the listing says, instruction by
//! instruction.

use iced_x86::{
    Decoder, DecoderOptions, FlowControl, Formatter, Instruction, IntelFormatter, MemorySizeOptions,
};
use std::collections::HashMap;

/// Compares the listing of a function with its bytes.
///
/// # Panics
/// If an instruction is another one.
pub fn compare(listing: &str, bytes: &[u8]) {
    let lines: Vec<&str> = listing.lines().filter(|line| !line.starts_with('C')).collect();
    let said: Vec<&str> = lines.iter().filter_map(|line| line.strip_prefix("    ")).collect();
    let decoder = Decoder::with_ip(64, bytes, 0, DecoderOptions::NONE);
    let found: Vec<Instruction> = decoder.into_iter().take(said.len()).collect();
    let constants = constants(listing);
    let labels = labels(&lines, &found);
    let mut formatter = intel();
    let mut others = Vec::new();
    for (said, found) in said.iter().zip(&found) {
        let mut text = String::new();
        // The numbers of vector instructions are fields of bits.
        formatter.options_mut().set_signed_immediate_operands(!said.starts_with('v'));
        formatter.format(found, &mut text);
        let meant = match found.flow_control() {
            FlowControl::ConditionalBranch => {
                let (name, label) = said.split_once(' ').unwrap_or((said, ""));
                let goal = labels.get(label).copied();
                assert_eq!(goal, Some(found.near_branch_target()), "`{said}` goes elsewhere\n{listing}");
                text.truncate(text.find(' ').unwrap_or(text.len()));
                name.to_owned()
            }
            _ => (*said).to_owned(),
        };
        if found.is_ip_rel_memory_operand() {
            let name = said.split_once('[').and_then(|(_, rest)| rest.split_once(']')).map_or("", |parts| parts.0);
            let constant = constants.get(name).unwrap_or_else(|| panic!("`{said}` is encoded as `{text}`"));
            let there = bytes.get(found.ip_rel_memory_address() as usize..).unwrap_or_default();
            assert!(there.starts_with(constant), "`{said}` means other bytes\n{listing}");
            text = with_memory(&text, &format!("[{name}]"));
        }
        if normal(&text) != normal(&meant) {
            others.push(format!("`{said}` is encoded as `{text}`"));
        }
    }
    assert!(others.is_empty(), "{}\n{listing}", others.join("\n"));
    let last = found.last().map(Instruction::flow_control);
    assert_eq!(last, Some(FlowControl::Return), "the code does not end with the listing\n{listing}");
}

/// The bytes of each constant of a listing: `C1: 0x3f800000 * 8  ; 1.0`.
fn constants(listing: &str) -> HashMap<&str, Vec<u8>> {
    let word = |text: &str| u32::from_str_radix(text.trim().trim_start_matches("0x"), 16).unwrap_or_default();
    let lines =
        listing.lines().filter_map(|line| line.split_once(": ")).filter(|(name, _)| name.starts_with('C'));
    lines
        .map(|(name, text)| {
            let words = text.split_once("  ;").map_or(text, |(words, _)| words);
            let words: Vec<u32> = match words.split_once(" * ") {
                Some((one, times)) => vec![word(one); times.trim().parse().unwrap_or_default()],
                None => words.split(", ").map(word).collect(),
            };
            (name, words.iter().flat_map(|word| word.to_le_bytes()).collect())
        })
        .collect()
}

/// The address of the instruction behind each label.
fn labels<'l>(lines: &[&'l str], found: &[Instruction]) -> HashMap<&'l str, u64> {
    let mut labels = HashMap::new();
    let mut next = 0;
    for line in lines {
        match line.strip_suffix(':') {
            Some(label) => drop(labels.insert(label, found.get(next).map_or(u64::MAX, Instruction::ip))),
            None => next += 1,
        }
    }
    labels
}

/// The notation of listings.
fn intel() -> IntelFormatter {
    let mut formatter = IntelFormatter::new();
    let options = formatter.options_mut();
    options.set_space_after_operand_separator(true);
    options.set_memory_size_options(MemorySizeOptions::Never);
    options.set_number_base(iced_x86::NumberBase::Decimal);
    options.set_show_branch_size(false);
    options.set_use_pseudo_ops(false);
    formatter
}

/// An instruction with another memory operand.
fn with_memory(text: &str, memory: &str) -> String {
    match (text.find('['), text.find(']')) {
        (Some(from), Some(to)) => format!("{}{memory}{}", &text[..from], &text[to + 1..]),
        _ => text.to_owned(),
    }
}

/// Without what the two notations say differently: sizes of memory, and numbers of 32 bits with or without sign.
fn normal(text: &str) -> String {
    let text = text.replace("byte ptr ", "");
    let operand = |operand: &str| match operand.parse::<i64>() {
        Ok(number) if (1 << 31..1 << 32).contains(&number) => (number as i32).to_string(),
        _ => operand.to_owned(),
    };
    text.split(", ").map(operand).collect::<Vec<_>>().join(", ")
}

#[test]
#[should_panic(expected = "is encoded as")]
fn another_instruction_is_noticed() {
    // add eax, ebx; ret
    compare("    sub eax, ebx\n    ret\n", &[0x01, 0xD8, 0xC3]);
}

#[test]
fn what_is_said_is_found() {
    compare(
        "    add eax, ebx\nL1:\n    je L1\n    ret\n",
        &[0x01, 0xD8, 0x0F, 0x84, 0xFA, 0xFF, 0xFF, 0xFF, 0xC3],
    );
}
