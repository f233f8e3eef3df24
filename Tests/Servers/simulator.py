DOMAINS=["localhost"]
class Simulator: pass
