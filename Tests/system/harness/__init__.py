"""What the system tests stand on: real Redis servers, real nodes, a proxy for faults, and small clients."""
