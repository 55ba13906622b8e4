import socket,time,sys
pid=sys.argv[1]
cpu=lambda: sum(map(int,open(f'/proc/{pid}/stat').read().split()[13:15]))
c=[socket.create_connection(('127.0.0.1',8099)) for _ in range(150)]
time.sleep(.3); a=cpu(); time.sleep(3); print('cpu ticks in 3 s while starved', cpu()-a)
R=b"GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n"
c[149].sendall(R); c[149].settimeout(.3)
try: print('unexpected', c[149].recv(10))
except TimeoutError: print('149 waits')
for s in c[:100]: s.close()
c[149].settimeout(10); print(c[149].recv(15)); 
