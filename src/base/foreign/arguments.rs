//! Arguments and settings as other libraries call them.

use super::{Foreign, row};

/// Arguments. A name may stand in several rows: the first row counts whose name here is a parameter of the function,
/// or that has none.
pub const ARGUMENTS: &[Foreign] = &[
    row("dim dims axes reduction_indices", "axis", ""),
    row("dim dims axes", "", "it works over the last axis; `transpose` brings another one there"),
    row("axis", "", "it works over the last axis; `transpose` brings another one there"),
    row("keepdim keepdims", "keep", ""),
    row("learning_rate rate step_size eta", "lr", ""),
    row("rate prob drop_prob drop_rate dropout", "p", ""),
    row("alpha negative_slope", "slope", ""),
    row("kernel_size filter_size pool_size window_shape", "kernel", ""),
    row("pool_size window window_shape kernel_size", "size", ""),
    row("strides", "stride", ""),
    row("dilation_rate", "dilation", ""),
    row("out_features out_channels units filters features n_out output_size", "out", ""),
    row("hidden_size units hidden_dim n_hidden", "hidden", ""),
    row(
        "in_features in_channels input_size input_dim input_shape n_in num_features normalized_shape",
        "",
        "the size of the input is inferred: leave it out",
    ),
    row("num_heads nhead n_heads", "heads", ""),
    row("num_layers n_layers depth", "layers", ""),
    row("num_embeddings vocab_size input_dim", "rows", ""),
    row("embedding_dim embed_dim output_dim", "width", ""),
    row("embed_dim d_model key_dim", "", "the width of the input is inferred: leave it out"),
    row("use_bias", "bias", ""),
    row("batch_first", "", "sequences are [batch, time, features] always: leave it out"),
    row("return_sequences", "", "all steps are given; `last = true` gives the last one, `h[:, -1]` as well"),
    row("activation", "", "an activation is a step of its own in the pipeline: `x |> Linear(8) |> relu`"),
    row("kernel_initializer weight_init initializer", "init", ""),
    row("bias_initializer", "bias_start", ""),
    row(
        "kernel_regularizer l2",
        "",
        "`weight_decay` is an argument of the optimizer: `AdamW(lr = 1e-3, weight_decay = 0.01)`",
    ),
    row("epsilon", "eps", ""),
    row("beta_1", "beta1", ""),
    row("beta_2", "beta2", ""),
    row("betas", "", "they are two arguments: `beta1 = 0.9, beta2 = 0.999`"),
    row("decay wd l2_penalty", "weight_decay", ""),
    row("rho", "alpha", ""),
    row("alpha decay", "rho", ""),
    row("etas", "", "they are two arguments: `shorter = 0.5, longer = 1.2`"),
    row(
        "clipnorm clip_grad_norm max_norm global_clipnorm max_grad_norm",
        "",
        "it stands behind the optimizer: `with Adam(lr = 1e-3), clip_norm = 1`",
    ),
    row(
        "clipvalue clip_grad_value",
        "",
        "it stands behind the optimizer: `with Adam(lr = 1e-3), clip_value = 1`",
    ),
    row("label_smoothing", "smoothing", ""),
    row("ignore_index", "ignore", ""),
    row("class_weight class_weights", "weight", ""),
    row("pos_weight", "positive_weight", ""),
    row("reduction", "", "losses are means over all examples; times the number of rows it is their sum"),
    row("from_logits", "", "the losses take scores; those on probabilities end in `_on_probabilities`"),
    row("num_classes depth", "n", ""),
    row("size", "shape", ""),
    row("mu loc", "mean", ""),
    row("sigma scale stddev", "std", ""),
    row("low minval minimum", "lo", ""),
    row("high maxval maximum", "hi", ""),
    row("min min_value a_min", "lo", ""),
    row("max max_value a_max", "hi", ""),
    row("sep delimiter", "separator", ""),
    row("step_size", "every", ""),
    row("T_max total_steps decay_steps", "total", ""),
    row("warmup_steps num_warmup_steps", "warmup", ""),
    row("max_lr base_lr initial_lr init_value initial_learning_rate", "base", ""),
];

/// What stands behind the optimizer of a `minimize` line.
pub const CLAUSES: &[Foreign] = &[
    row(
        "clip_grad_norm clip_grad_norm_ clipnorm max_norm max_grad_norm global_clipnorm grad_clip",
        "clip_norm",
        "",
    ),
    row("clip_grad_value clip_grad_value_ clipvalue", "clip_value", ""),
    row(
        "lr learning_rate weight_decay momentum",
        "",
        "it is an argument of the optimizer: `SGD(lr = 0.1, momentum = 0.9)`",
    ),
];

/// Lines of `train`.
pub const SETTINGS: &[Foreign] = &[
    row("batch_size batchsize minibatch mini_batch_size bs", "batch", ""),
    row("num_epochs n_epochs max_epochs nb_epoch iterations_over_data", "epochs", ""),
    row("num_steps max_steps iterations max_iter num_iterations n_iter", "steps", ""),
    row("random_seed random_state rng manual_seed", "seed", ""),
    row("dataset train_data training_data", "data", ""),
    row("validation validation_data val_data valid eval_data test_data", "validate", ""),
    row(
        "validation_split val_split test_size",
        "",
        "data is divided where it is declared: `split train = 0.8, test = 0.2`; then `data = d.train`, `validate = d.test`",
    ),
    row(
        "loss criterion objective cost loss_fn",
        "",
        "the loss and the optimizer are one line: `minimize mse(Net(x), y) with Adam(lr = 1e-3)`",
    ),
    row(
        "optimizer optim optimiser opt",
        "",
        "the loss and the optimizer are one line: `minimize mse(Net(x), y) with Adam(lr = 1e-3)`",
    ),
    row(
        "model net network",
        "",
        "the model is called in the loss: `minimize mse(Net(x), y) with Adam(lr = 1e-3)`",
    ),
    row("metrics metric measures score", "", "a line for each: `measure accuracy(Net(x), y)`"),
    row(
        "early_stopping early_stop patience",
        "",
        "`stop = patience(5)`: after five epochs without a better loss",
    ),
    row(
        "scheduler lr_scheduler schedule lr_schedule",
        "",
        "a schedule is the rate of the optimizer: `Adam(lr = cosine(1e-3, total = 1_000))`",
    ),
    row("learning_rate lr alpha", "", "the rate is an argument of the optimizer: `Adam(lr = 1e-3)`"),
    row(
        "weight_decay momentum",
        "",
        "it is an argument of the optimizer: `SGD(lr = 0.1, momentum = 0.9, weight_decay = 1e-4)`",
    ),
    row(
        "grad_clip gradient_clip clip_norm max_grad_norm clip",
        "",
        "it stands behind the optimizer: `minimize … with Adam(lr = 1e-3), clip_norm = 1`",
    ),
    row("weights pretrained checkpoint load", "init", "`init = safetensors(\"start.safetensors\")`"),
    row(
        "verbose log_interval print_every",
        "",
        "the command line says what is shown: `nnc run FILE --every 10`",
    ),
    row(
        "save output out checkpoint_dir",
        "",
        "the command line says where to save: `nnc run FILE --save FILE.safetensors`",
    ),
    row("device gpu cuda", "", "programs run on the processor; `--threads` says how many threads take part"),
    row("num_workers threads workers", "", "the command line says how many: `nnc run FILE --threads 2`"),
    row(
        "drop_last",
        "",
        "with `shuffle = true` the last batch may be smaller; with `shuffle = false` rows wrap around and all batches are full",
    ),
];
