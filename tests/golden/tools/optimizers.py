"""Trajectories of optimisers with their options, and of schedules of the learning rate."""

import torch
from torch import optim
from torch.optim import lr_scheduler as rates

CASES = []


class Lion(optim.Optimizer):
    """The published formula; PyTorch has no Lion."""

    def __init__(self, params, lr, betas, weight_decay):
        super().__init__(params, dict(lr=lr, betas=betas, weight_decay=weight_decay))

    @torch.no_grad()
    def step(self):
        for group in self.param_groups:
            b1, b2 = group["betas"]
            for p in group["params"]:
                m = self.state[p].setdefault("m", torch.zeros_like(p))
                update = torch.sign(b1 * m + (1 - b1) * p.grad)
                p.mul_(1 - group["lr"] * group["weight_decay"]).sub_(group["lr"] * update)
                m.mul_(b2).add_((1 - b2) * p.grad)


def optimizer(name, make, text, schedule=None, clip=""):
    CASES.append((name, make, text, schedule, clip))


def sgd(p):
    return optim.SGD(p, lr=0.1)


optimizer("sgd_dampening", lambda p: optim.SGD(p, lr=0.05, momentum=0.9, dampening=0.3, weight_decay=0.01), "SGD(lr = 0.05, momentum = 0.9, dampening = 0.3, weight_decay = 0.01)")
optimizer("sgd_nesterov_decay", lambda p: optim.SGD(p, lr=0.05, momentum=0.8, nesterov=True, weight_decay=0.02), "SGD(lr = 0.05, momentum = 0.8, nesterov = true, weight_decay = 0.02)")
optimizer("adagrad_options", lambda p: optim.Adagrad(p, lr=0.05, lr_decay=0.1, weight_decay=0.01, initial_accumulator_value=0.2, eps=1e-6), "Adagrad(lr = 0.05, lr_decay = 0.1, weight_decay = 0.01, initial_accumulator = 0.2, eps = 1e-6)")
optimizer("adadelta_options", lambda p: optim.Adadelta(p, lr=0.7, rho=0.8, eps=1e-4, weight_decay=0.01), "Adadelta(lr = 0.7, rho = 0.8, eps = 1e-4, weight_decay = 0.01)")
optimizer("rmsprop_options", lambda p: optim.RMSprop(p, lr=0.01, alpha=0.9, eps=1e-4, weight_decay=0.01, momentum=0.5), "RMSprop(lr = 0.01, alpha = 0.9, eps = 1e-4, weight_decay = 0.01, momentum = 0.5)")
optimizer("rmsprop_centered", lambda p: optim.RMSprop(p, lr=0.01, eps=1e-4, centered=True), "RMSprop(lr = 0.01, eps = 1e-4, centered = true)")
optimizer("adam_options", lambda p: optim.Adam(p, lr=0.01, betas=(0.8, 0.99), eps=1e-5, weight_decay=0.05, amsgrad=True), "Adam(lr = 0.01, beta1 = 0.8, beta2 = 0.99, eps = 1e-5, weight_decay = 0.05, amsgrad = true)")
optimizer("adamw_options", lambda p: optim.AdamW(p, lr=0.01, eps=1e-5, amsgrad=True), "AdamW(lr = 0.01, eps = 1e-5, amsgrad = true)")
optimizer("nadam_options", lambda p: optim.NAdam(p, lr=0.01, betas=(0.8, 0.99), eps=1e-5, weight_decay=0.05, momentum_decay=0.02), "NAdam(lr = 0.01, beta1 = 0.8, beta2 = 0.99, eps = 1e-5, weight_decay = 0.05, momentum_decay = 0.02)")
optimizer("radam_options", lambda p: optim.RAdam(p, lr=0.01, betas=(0.8, 0.9), eps=1e-5, weight_decay=0.05), "RAdam(lr = 0.01, beta1 = 0.8, beta2 = 0.9, eps = 1e-5, weight_decay = 0.05)")
optimizer("adamax_options", lambda p: optim.Adamax(p, lr=0.01, betas=(0.8, 0.9), eps=1e-5, weight_decay=0.05), "Adamax(lr = 0.01, beta1 = 0.8, beta2 = 0.9, eps = 1e-5, weight_decay = 0.05)")
optimizer("rprop", lambda p: optim.Rprop(p, lr=0.01), "Rprop(lr = 0.01)")
optimizer("lion", lambda p: Lion(p, 0.01, (0.9, 0.99), 0.1), "Lion(lr = 0.01, weight_decay = 0.1)")
optimizer("clip_value", sgd, "SGD(lr = 0.1)", clip="clip_value = 0.02")
optimizer("clip_both", sgd, "SGD(lr = 0.1)", clip="clip_norm = 0.1")

optimizer("schedule_constant", sgd, "SGD(lr = constant(0.1))")
optimizer("schedule_step", sgd, "SGD(lr = step_decay(0.1, 5, gamma = 0.5))", lambda o: rates.StepLR(o, 5, gamma=0.5))
optimizer("schedule_milestones", sgd, "SGD(lr = milestones(0.1, [3, 9], gamma = 0.3))", lambda o: rates.MultiStepLR(o, [3, 9], gamma=0.3))
optimizer("schedule_exponential", sgd, "SGD(lr = exponential(0.1, 0.9))", lambda o: rates.ExponentialLR(o, 0.9))
optimizer("schedule_linear", sgd, "SGD(lr = linear(0.1, start = 0.25, end = 1.0, total = 6))", lambda o: rates.LinearLR(o, 0.25, 1.0, 6))
optimizer("schedule_polynomial", sgd, "SGD(lr = polynomial(0.1, total = 15, power = 2.0))", lambda o: rates.PolynomialLR(o, 15, power=2.0))
optimizer("schedule_warmup", sgd, "SGD(lr = linear_warmup(0.1, warmup = 6))", lambda o: rates.LambdaLR(o, lambda k: min(1, (k + 1) / 6)))
optimizer("schedule_cosine", sgd, "SGD(lr = cosine(0.1, total = 20))", lambda o: rates.CosineAnnealingLR(o, 20))
optimizer("schedule_restarts", sgd, "SGD(lr = cosine_restarts(0.1, period = 7, low = 0.01))", lambda o: rates.CosineAnnealingWarmRestarts(o, 7, eta_min=0.01))
optimizer("schedule_inverse_sqrt", sgd, "SGD(lr = inverse_sqrt(0.4, warmup = 5))", lambda o: rates.LambdaLR(o, lambda k: 4 * min((k + 1) ** -0.5, (k + 1) * 5**-1.5)))
optimizer("schedule_triangular", sgd, "SGD(lr = triangular(0.01, 0.2, half = 4))", lambda o: rates.CyclicLR(o, 0.01, 0.2, step_size_up=4, cycle_momentum=False))
optimizer("schedule_one_cycle", sgd, "SGD(lr = one_cycle(0.3, total = 20))", lambda o: rates.OneCycleLR(o, 0.3, total_steps=20, cycle_momentum=False))
