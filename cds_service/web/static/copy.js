// Puts what a field holds on the clipboard. Without this script the buttons stay hidden and the fields can be copied by hand.
for (const button of document.querySelectorAll("button.copy")) {
  button.hidden = !navigator.clipboard;
  button.addEventListener("click", async () => {
    const source = document.getElementById(button.dataset.copies);
    await navigator.clipboard.writeText(source.value ?? source.textContent);
    const word = button.firstChild;
    word.data = "Copied";
    setTimeout(() => { word.data = "Copy"; }, 1500);
  });
}
