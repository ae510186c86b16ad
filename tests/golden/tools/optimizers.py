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


class Formula(optim.Optimizer):
    """An optimiser that PyTorch lacks, by its published formula: `step(p, grad, state, number)` changes a parameter."""

    def __init__(self, params, change):
        super().__init__(params, {})
        self.change, self.number = change, 0

    @torch.no_grad()
    def step(self):
        self.number += 1
        for p in self.param_groups[0]["params"]:
            self.change(p, p.grad, self.state[p], self.number)


class Together(optim.Optimizer):
    """Matrices by one optimiser, all else by another."""

    def __init__(self, params, matrices, others):
        params = list(params)
        super().__init__(params, {})
        self.parts = [matrices([p for p in params if p.dim() > 1]), others([p for p in params if p.dim() < 2])]

    def step(self):
        for part in self.parts:
            part.step()


def lars(lr, momentum, decay, trust):
    def change(p, g, state, _):
        if p.dim() > 1:
            ratio = trust * p.norm() / (g.norm() + decay * p.norm())
            g = ratio * (g + decay * p)
        v = state.setdefault("v", torch.zeros_like(p))
        v.mul_(momentum).add_(lr * g)
        p.sub_(v)

    return change


def lamb(lr, b1, b2, eps, decay):
    def change(p, g, state, k):
        m, v = state.setdefault("m", torch.zeros_like(p)), state.setdefault("v", torch.zeros_like(p))
        m.mul_(b1).add_((1 - b1) * g)
        v.mul_(b2).add_((1 - b2) * g * g)
        move = m / (1 - b1**k) / ((v / (1 - b2**k)).sqrt() + eps)
        if p.dim() > 1:
            move = move + decay * p
        p.sub_(lr * p.norm() / move.norm() * move)

    return change


def muon(lr, momentum, decay):
    def orthogonal(g):
        x = (g.T if g.shape[0] > g.shape[1] else g) / (g.norm() + 1e-7)
        for _ in range(5):
            a = x @ x.T
            x = 3.4445 * x + (-4.7750 * a + 2.0315 * a @ a) @ x
        return x.T if g.shape[0] > g.shape[1] else x

    def change(p, g, state, _):
        v = state.setdefault("v", torch.zeros_like(p))
        v.mul_(momentum).add_(g)
        p.mul_(1 - lr * decay).sub_(lr * orthogonal(g + momentum * v))

    return change


def shampoo(lr, eps):
    def root(a):
        values, vectors = torch.linalg.eigh(a.double())
        return (vectors * values.clamp(1e-12) ** -0.25 @ vectors.T).float()

    def change(p, g, state, _):
        left = state.setdefault("left", eps * torch.eye(p.shape[0]))
        right = state.setdefault("right", eps * torch.eye(p.shape[1]))
        left.add_(g @ g.T)
        right.add_(g.T @ g)
        p.sub_(lr * root(left) @ g @ root(right))

    return change


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

# Of whole parameters, and groups.
optimizer("lars", lambda p: Formula(p, lars(0.5, 0.9, 0.01, 0.02)), "LARS(lr = 0.5, momentum = 0.9, weight_decay = 0.01, trust = 0.02)")
optimizer("lamb", lambda p: Formula(p, lamb(0.01, 0.9, 0.99, 1e-6, 0.1)), "LAMB(lr = 0.01, beta2 = 0.99, weight_decay = 0.1)")
optimizer("muon", lambda p: Together(p, lambda m: Formula(m, muon(0.02, 0.95, 0.1)), lambda v: optim.AdamW(v, lr=0.01)), "Muon(lr = 0.02, weight_decay = 0.1) else AdamW(lr = 0.01)")
optimizer("shampoo", lambda p: Together(p, lambda m: Formula(m, shampoo(0.05, 0.01)), lambda v: optim.Adagrad(v, lr=0.05)), "Shampoo(lr = 0.05, eps = 0.01) else Adagrad(lr = 0.05)")
optimizer("groups_decay", lambda p: Together(p, lambda m: optim.AdamW(m, lr=0.01, weight_decay=0.5), lambda v: optim.AdamW(v, lr=0.01, weight_decay=0)), "AdamW(lr = 0.01, weight_decay = 0.5) over vectors with AdamW(lr = 0.01, weight_decay = 0)", clip="clip_norm = 0.1")
optimizer("groups_methods", lambda p: Together(p, lambda m: optim.SGD(m, lr=0.1, momentum=0.9), lambda v: optim.Adam(v, lr=0.02)), 'SGD(lr = 0.1, momentum = 0.9) over "*.bias" with Adam(lr = 0.02)')
