"""The container's health check: says what /readyz answered."""

import http.client
import sys

connection = http.client.HTTPConnection("127.0.0.1", 8080, timeout=15)
connection.request("GET", "/readyz")
answer = connection.getresponse()
print(f"readyz answered {answer.status}: {answer.read().decode()}")
sys.exit(0 if answer.status == 200 else 1)
