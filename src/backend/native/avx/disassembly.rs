//! Emitted code against an independent disassembler: the bytes mean what the listing says, instruction by
//! instruction.

use iced_x86::{Decoder, DecoderOptions, FlowControl, Formatter, Instruction, IntelFormatter, MemorySizeOptions};
use std::collections::{BTreeSet, HashMap};

/// Compares the listing of a function with its bytes.
///
/// # Panics
/// At the first instruction that is another one.
pub fn compare(listing: &str, bytes: &[u8]) {
    let lines: Vec<&str> = listing.lines().filter(|line| !line.starts_with('C')).collect();
    let said: Vec<&str> = lines.iter().filter_map(|line| line.strip_prefix("    ")).collect();
    let decoder = Decoder::with_ip(64, bytes, 0, DecoderOptions::NONE);
    let found: Vec<Instruction> = decoder.into_iter().take(said.len()).collect();
    let constants: BTreeSet<u64> = found
        .iter()
        .filter(|it| it.is_ip_rel_memory_operand())
        .map(Instruction::ip_rel_memory_address)
        .collect();
    let names: HashMap<u64, String> =
        constants.into_iter().zip(1..).map(|(at, number)| (at, format!("[C{number}]"))).collect();
    let labels = labels(&lines, &found);
    let mut formatter = intel();
    for (said, found) in said.iter().zip(&found) {
        let mut text = String::new();
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
        if let Some(name) = names.get(&found.ip_rel_memory_address()).filter(|_| found.is_ip_rel_memory_operand()) {
            text = with_memory(&text, name);
        }
        assert_eq!(normal(&text), normal(&meant), "`{said}` is encoded as `{text}`\n{listing}");
    }
    let last = found.last().map(Instruction::flow_control);
    assert_eq!(last, Some(FlowControl::Return), "the code does not end with the listing\n{listing}");
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
    options.set_signed_immediate_operands(true);
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
    compare("    add eax, ebx\nL1:\n    je L1\n    ret\n", &[0x01, 0xD8, 0x0F, 0x84, 0xFA, 0xFF, 0xFF, 0xFF, 0xC3]);
}
