# Makes stripes.safetensors with PyTorch: a network that tells four directions of stripes in colour pictures, and what its
# layers below the head make of a picture that tests/texts_and_pictures.rs writes down.
import torch, torch.nn as nn, os
from safetensors.torch import save_file
torch.manual_seed(0); torch.set_num_threads(1)
class Net(nn.Module):
    def __init__(s):
        super().__init__()
        s.conv1=nn.Conv2d(3,8,3,padding=1); s.bn1=nn.BatchNorm2d(8)
        s.conv2=nn.Conv2d(8,16,3,padding=1); s.bn2=nn.BatchNorm2d(16)
        s.fc=nn.Linear(16,4)
    def features(s,x):
        x=torch.max_pool2d(torch.relu(s.bn1(s.conv1(x))),2)
        return torch.relu(s.bn2(s.conv2(x))).mean((2,3))
    def forward(s,x): return s.fc(s.features(x))
def batch(n,g):
    y=torch.randint(0,4,(n,),generator=g)
    a=torch.rand(n,1,1,generator=g)*6.28; f=0.9+0.6*torch.rand(n,1,1,generator=g)
    i=torch.arange(16.).view(1,16,1); j=torch.arange(16.).view(1,1,16)
    phase=[i+0*j,j+0*i,(i+j)/1.4,(i-j)/1.4]
    t=torch.stack([phase[k][0] for k in y])
    s=(torch.sin(f*t+a)+1)/2
    c1=torch.rand(n,3,1,1,generator=g); c2=torch.rand(n,3,1,1,generator=g)
    x=c1*s[:,None]+c2*(1-s[:,None])+0.05*torch.randn(n,3,16,16,generator=g)
    return x.clamp(0,1),y
g=torch.Generator().manual_seed(1)
net=Net(); opt=torch.optim.Adam(net.parameters(),1e-2)
for k in range(400):
    x,y=batch(64,g); l=nn.functional.cross_entropy(net(x),y); opt.zero_grad(); l.backward(); opt.step()
net.eval(); x,y=batch(400,g); print('acc',(net(x).argmax(1)==y).float().mean().item(), l.item())
# an input that a test can write down, and what the layers below the head make of it
i=torch.arange(16.).view(1,1,16,1); j=torch.arange(16.).view(1,1,1,16); c=torch.arange(3.).view(1,3,1,1)
probe=((i*3+j*5+c*7)%11)/10
with torch.no_grad(): f=net.features(probe)[0]
print([round(v,6) for v in f.tolist()])
sd={k:v.contiguous() for k,v in net.state_dict().items()}
out = os.path.join(os.path.dirname(__file__), 'stripes.safetensors')
save_file(sd,out); print(os.path.getsize(out), list(sd))
