//! E07xx: loading of data and what happens at run time.

use super::Code;

pub(super) const CODES: &[Code] = &[
    Code {
        code: "E0701",
        title: "a file cannot be opened or read",
        explain: "\
Paths are relative to the `.nn` file that names them. The message has the system's reason and, if
the folder has a file of a similar name, offers it.
    data digits = csv(\"digts.csv\") { … }        # wrong: no such file
    data digits = csv(\"digits.csv\") { … }       # right",
    },
    Code {
        code: "E0702",
        title: "a file is not of the format it is read as",
        explain: "\
The beginning or the header of the file does not fit the format: a `csv` read as `npy`, a web page
saved under the name of a data file, a damaged download. The message says what should stand there
and what does. Choose the source that fits the file, or get the file again.
Packed data (deflate, JPEG) holds so much and no more: a header that declares more is refused before
memory is asked for.
    x: [28, 28] = idx(\"train-labels-idx1-ubyte\")   # a file of labels has one axis only",
    },
    Code {
        code: "E0703",
        title: "a file is shorter or longer than its header says",
        explain: "\
The header promises a shape and a type of elements, and so a number of bytes; the file has another
number. Usually a download or a copy was broken off.
Get the file again and compare its size or its checksum.",
    },
    Code {
        code: "E0704",
        title: "a type of elements that is not read",
        explain: "\
Read are bools, ints of 8 to 64 bits and floats of 16 (both kinds), 32 and 64 bits. Complex
numbers, texts, structures, Python objects and floats of 8 bits or less are not.
Convert the array before saving it, in Python for example:
    numpy.save(\"x.npy\", x.astype(\"float32\"))",
    },
    Code {
        code: "E0705",
        title: "a value is missing in a csv file",
        explain: "\
The field at file:line:column is empty, or says that it is not known (NA, NaN, null, ?). A network
cannot compute with it, and putting in a number is a decision that the file's reader must not make.
Remove the row, or fill in a value (the column's mean, say) before training.",
    },
    Code {
        code: "E0706",
        title: "a field of a csv file is not a number",
        explain: "\
The field at file:line:column is text where a number is needed. Is its column the right one, and
does the file have a header line? The header is recognised by having no number in it; say so
otherwise:
    data a = csv(\"a.csv\", header = true) { … }
A column of names is read as class numbers, in the alphabetical order of the names, if the field
is an int or a class and no field of the column is a number:
    species: class(3) = column(\"species\")",
    },
    Code {
        code: "E0707",
        title: "a row of a csv file has more or fewer fields than the first",
        explain: "\
Every row must have as many fields as the first line. A comma in a text needs quotes around the
text, and a decimal comma must be a point.
    1,\"Smith, John\",0.5
Another separator is named in the source: `csv(\"a.csv\", separator = \";\")`.",
    },
    Code {
        code: "E0708",
        title: "no such column in a csv file",
        explain: "\
Columns are named as in the header line, or numbered from 0; a negative number counts from the
end. `columns(a:b)` excludes b.
    column(64)               # the 65th column
    column(\"species\")        # needs a header line
    columns(0:4)             # columns 0, 1, 2, 3",
    },
    Code {
        code: "E0709",
        title: "a text or csv file that cannot be taken apart",
        explain: "\
Text files are UTF-8. In a csv file a field that begins with a quote ends with the next quote that
stands alone (two together mean one), and a separator or the end of the line follows.
    \"5\"\" pipe\",12     # the text 5\" pipe, then 12
    \"5\" pipe\",12       # wrong: text after the closing quote",
    },
    Code {
        code: "E0710",
        title: "a data file has no rows",
        explain: "\
The file is empty, or has a header line and nothing else. If the only line was taken for a header
because it has no number in it, say that it is data:
    data a = csv(\"a.csv\", header = false) { … }",
    },
    Code {
        code: "E0711",
        title: "no array of this name in the file",
        explain: "\
An `npz` or `safetensors` file holds arrays by name; the name asked for is none of them. The
message offers the nearest, or lists those there are.
    x: [8] = safetensors(\"a.safetensors\").tensor(\"input\")",
    },
    Code {
        code: "E0712",
        title: "a number does not fit the type of the field",
        explain: "\
Ints have 32 bits, so they lie between -2147483648 and 2147483647, and they are whole; a float
must be finite in the program's precision. The message names the place and the number.
A field that holds fractions is a float:
    price: [] = column(\"price\")          # not int",
    },
    Code {
        code: "E0713",
        title: "starting parameters are missing or have another shape",
        explain: "\
Every parameter and state of the models that are trained must be in the file, under the prefix
and its path, with its shape. All that are missing or differ are listed, with the nearest names.
    init = safetensors(\"start.safetensors\", prefix = \"init.\")
Which paths there are, `nnc summary` prints.",
    },
    Code {
        code: "E0714",
        title: "a file cannot be written",
        explain: "\
The message has the system's reason: the folder does not exist, the disk is full, or there is no
permission. A file that was there before is left as it was: the new one is written beside it
and takes its place only when it is complete.",
    },
    Code {
        code: "E0715",
        title: "a text is too short for its windows",
        explain: "\
`window(T)` cuts a text into pairs of T characters and the T characters that follow them by one,
so the text needs at least T + 1 characters.
Choose a smaller T or a longer text.",
    },
    Code {
        code: "E0716",
        title: "a character that is not in the vocabulary",
        explain: "\
The vocabulary of a `text` source is the set of its characters, in the order of their Unicode
numbers; a character's class is its place in it. A text given later (a prompt, a second file) may
use those characters only. The message names the first that is not among them.",
    },
];
