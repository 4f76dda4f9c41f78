<?xml version="1.0" encoding="utf-8"?>
<!DOCTYPE TS>
<TS version="2.1" language="de" sourcelanguage="en">
<context>
    <name></name>
    <message>
        <source>Held-out loss: {loss} nats per token on text kept aside from training. Lower is better.</source>
        <translation>Verlust am Prüftext: {loss} Nats je Token auf Text, der nicht zum Training diente. Weniger ist besser.</translation>
    </message>
    <message>
        <source>The backbone alone has {backbone} on the same text.</source>
        <translation>Das Backbone allein hat {backbone} auf demselben Text.</translation>
    </message>
    <message>
        <source>So the epoch finds a token of it {times} times as probable, on (geometric) average.</source>
        <translation>Die Epoche hält ein Token davon also im (geometrischen) Mittel für {times}-mal so wahrscheinlich.</translation>
    </message>
    <message>
        <source>Give the epoch a name.</source>
        <translation>Der Epoche einen Namen geben.</translation>
    </message>
    <message>
        <source>There is an epoch of this name already. Choose another.</source>
        <translation>Eine Epoche dieses Namens gibt es schon. Einen anderen wählen.</translation>
    </message>
    <message>
        <source>temperature {value}</source>
        <translation>Temperatur {value}</translation>
    </message>
    <message>
        <source>hard</source>
        <translation>hart</translation>
    </message>
    <message>
        <source>Time Mixer number {number}</source>
        <translation>Time Mixer Nummer {number}</translation>
    </message>
    <message>
        <source>nothing was left, so the backbone spoke</source>
        <translation>nichts blieb übrig, also sprach das Backbone</translation>
    </message>
    <message>
        <source>{name} {share}</source>
        <translation>{name} {share}</translation>
    </message>
    <message>
        <source>manual, {blend}</source>
        <translation>manuell, {blend}</translation>
    </message>
    <message>
        <source>{name} × {gain:.2f}</source>
        <translation>{name} × {gain:.2f}</translation>
    </message>
    <message>
        <source>gain, {gains}</source>
        <translation>Pegel, {gains}</translation>
    </message>
    <message>
        <source>{names} alone</source>
        <translation>{names} allein</translation>
    </message>
    <message>
        <source>{names} muted</source>
        <translation>{names} stumm</translation>
    </message>
    <message>
        <source>{one} · {other}</source>
        <translation>{one} · {other}</translation>
    </message>
    <message>
        <source>&lt;{share:.2f}</source>
        <translation>&lt;{share:.2f}</translation>
    </message>
    <message>
        <source>{share:.2f}</source>
        <translation>{share:.2f}</translation>
    </message>
    <message>
        <source>{temperature:.2f}</source>
        <translation>{temperature:.2f}</translation>
    </message>
    <message>
        <source>{temperature:.1f}</source>
        <translation>{temperature:.1f}</translation>
    </message>
    <message>
        <source>{name} alone</source>
        <translation>{name} allein</translation>
    </message>
    <message>
        <source>Time Mixer · {strategy}</source>
        <translation>Time Mixer · {strategy}</translation>
    </message>
    <message>
        <source>Backbone alone</source>
        <translation>Backbone allein</translation>
    </message>
    <message>
        <source>All adapters at once without a mixer, {weight}: the conflict that the Time Mixer settles</source>
        <translation>Alle Adapter zugleich ohne Mixer, {weight}: der Konflikt, den der Time Mixer löst</translation>
    </message>
    <message>
        <source>Sum of all epochs</source>
        <translation>Summe aller Epochen</translation>
    </message>
    <message>
        <source>at weight 1 each</source>
        <translation>jeder mit Gewicht 1</translation>
    </message>
    <message>
        <source>Average of all epochs</source>
        <translation>Mittel aller Epochen</translation>
    </message>
    <message>
        <source>Manual mix</source>
        <translation>Mischung von Hand</translation>
    </message>
    <message>
        <source>at weight 1/K each</source>
        <translation>jeder mit Gewicht 1/K</translation>
    </message>
    <message>
        <source>The Time Mixer as it was; epochs that came later are silent</source>
        <translation>Der Time Mixer, wie er war; später dazugekommene Epochen schweigen</translation>
    </message>
    <message>
        <source>Mixer {name}</source>
        <translation>Mixer {name}</translation>
    </message>
    <message>
        <source>after {name}</source>
        <translation>nach {name}</translation>
    </message>
    <message>
        <source>without Active Sleep</source>
        <translation>ohne Active Sleep</translation>
    </message>
    <message>
        <source>… 1 more token</source>
        <translation>… 1 weiteres Token</translation>
    </message>
    <message>
        <source>… {count} more tokens</source>
        <translation>… {count} weitere Tokens</translation>
    </message>
    <message>
        <source>The picture could not be written to {path}.</source>
        <translation>Das Bild konnte nicht nach {path} geschrieben werden.</translation>
    </message>
    <message>
        <source>Choose another place, and a name that ends in .png.</source>
        <translation>Einen anderen Ort wählen und einen Namen, der auf .png endet.</translation>
    </message>
    <message>
        <source>Temporal LoRA</source>
        <translation>Temporal LoRA</translation>
    </message>
    <message>
        <source>1 token</source>
        <translation>1 Token</translation>
    </message>
    <message>
        <source>{count} tokens</source>
        <translation>{count} Tokens</translation>
    </message>
    <message>
        <source>text read, not generated</source>
        <translation>Text gelesen, nicht erzeugt</translation>
    </message>
    <message>
        <source>seed {seed}</source>
        <translation>Seed {seed}</translation>
    </message>
    <message>
        <source>Time Mixer</source>
        <translation>Time Mixer</translation>
    </message>
    <message>
        <source>Time Mixer without Active Sleep</source>
        <translation>Time Mixer ohne Active Sleep</translation>
    </message>
    <message>
        <source>Choose another place, and a name that ends in .png or .svg.</source>
        <translation>Einen anderen Ort wählen und einen Namen, der auf .png oder .svg endet.</translation>
    </message>
    <message>
        <source>now</source>
        <translation>jetzt</translation>
    </message>
    <message>
        <source>{minutes} min ago</source>
        <translation>vor {minutes} min</translation>
    </message>
    <message>
        <source>{hours} h ago</source>
        <translation>vor {hours} h</translation>
    </message>
    <message>
        <source>(empty prompt)</source>
        <translation>(leerer Prompt)</translation>
    </message>
    <message>
        <source>(part of a character)</source>
        <translation>(Teil eines Zeichens)</translation>
    </message>
    <message>
        <source>“{text}”</source>
        <translation>„{text}“</translation>
    </message>
    <message>
        <source>first token: nothing before it to predict it from</source>
        <translation>erstes Token: davor steht nichts, woraus es sich vorhersagen ließe</translation>
    </message>
    <message>
        <source>probability&#xa0;{share}</source>
        <translation>Wahrscheinlichkeit&#xa0;{share}</translation>
    </message>
    <message>
        <source>rank&#xa0;{rank}</source>
        <translation>Rang&#xa0;{rank}</translation>
    </message>
    <message>
        <source>surprise&#xa0;{bits}&#xa0;bits</source>
        <translation>Überraschung&#xa0;{bits}&#xa0;Bit</translation>
    </message>
    <message>
        <source>No dominant epoch: several weigh the same here</source>
        <translation>Keine stärkste Epoche: Mehrere wiegen hier gleich viel</translation>
    </message>
    <message>
        <source>Colour: what the Time Mixer gives here · {mixer}</source>
        <translation>Farbe: was der Time Mixer hier gibt · {mixer}</translation>
    </message>
    <message>
        <source>Colour: this prompt token&apos;s own mix</source>
        <translation>Farbe: die eigene Mischung dieses Prompt-Tokens</translation>
    </message>
    <message>
        <source>Colour: the mix in force when this token was predicted</source>
        <translation>Farbe: die Mischung, die bei der Vorhersage dieses Tokens galt</translation>
    </message>
    <message>
        <source>Entropy of the mix: {bits} bits</source>
        <translation>Entropie der Mischung: {bits} Bit</translation>
    </message>
    <message>
        <source>Prompt token (semi-bold)</source>
        <translation>Prompt-Token (halbfett)</translation>
    </message>
    <message>
        <source>Generated token</source>
        <translation>Erzeugtes Token</translation>
    </message>
    <message>
        <source>{name}: {word} {share}, this token {probability}, rank {rank}</source>
        <translation>{name}: {word} {share}, dieses Token {probability}, Rang {rank}</translation>
    </message>
    <message>
        <source>{name}, most probable here</source>
        <translation>{name}, hier am wahrscheinlichsten</translation>
    </message>
    <message>
        <source>Click, or Enter: go on from here with “{word}”</source>
        <translation>Klick oder Enter: von hier mit „{word}“ weiterschreiben</translation>
    </message>
    <message>
        <source>In the text</source>
        <translation>Im Text</translation>
    </message>
    <message>
        <source>On the mix ribbon</source>
        <translation>Auf dem Mischband</translation>
    </message>
    <message>
        <source>In the prompt</source>
        <translation>Im Prompt</translation>
    </message>
    <message>
        <source>Earlier and later prompts</source>
        <translation>Frühere und spätere Prompts</translation>
    </message>
    <message>
        <source>Walk from token to token</source>
        <translation>Von Token zu Token gehen</translation>
    </message>
    <message>
        <source>First and last token</source>
        <translation>Erstes und letztes Token</translation>
    </message>
    <message>
        <source>Another word at this token</source>
        <translation>Ein anderes Wort an diesem Token</translation>
    </message>
    <message>
        <source>Stop generating</source>
        <translation>Erzeugen stoppen</translation>
    </message>
    <message>
        <source>Zoom</source>
        <translation>Zoomen</translation>
    </message>
    <message>
        <source>Select a stretch of the text</source>
        <translation>Einen Abschnitt des Texts auswählen</translation>
    </message>
    <message>
        <source>wheel</source>
        <translation>Rad</translation>
    </message>
    <message>
        <source>drag</source>
        <translation>Ziehen</translation>
    </message>
    <message>
        <source>{done} of {total}</source>
        <translation>{done} von {total}</translation>
    </message>
    <message>
        <source>This project is open elsewhere and only followed here.</source>
        <translation>Dieses Projekt ist anderswo geöffnet und wird hier nur mitverfolgt.</translation>
    </message>
    <message>
        <source>Open it once the other window or command has ended.</source>
        <translation>Hier öffnen, sobald das andere Fenster oder der andere Befehl beendet ist.</translation>
    </message>
    <message>
        <source>{name} is trained.</source>
        <translation>{name} ist trainiert.</translation>
    </message>
    <message>
        <source>{name} is trained and frozen: held-out loss {own:.2f}, backbone {base:.2f}.</source>
        <translation>{name} ist trainiert und eingefroren: Verlust am Prüftext {own:.2f}, Backbone {base:.2f}.</translation>
    </message>
    <message>
        <source>{name} is imported. The Time Mixer knows it by its own dreams.</source>
        <translation>{name} ist importiert. Der Time Mixer kennt sie an ihren eigenen Träumen.</translation>
    </message>
    <message>
        <source>{name} is imported: held-out loss {own:.2f}, backbone {base:.2f}.</source>
        <translation>{name} ist importiert: Verlust am Prüftext {own:.2f}, Backbone {base:.2f}.</translation>
    </message>
    <message>
        <source>the mix keeps {share} of the gain at worst ({name})</source>
        <translation>die Mischung behält mindestens {share} des Gewinns (am wenigsten bei {name})</translation>
    </message>
    <message>
        <source>routing accuracy {share} on average</source>
        <translation>Routing-Genauigkeit {share} im Mittel</translation>
    </message>
    <message>
        <source>Measured on held-out text: {figures}.</source>
        <translation>Am Prüftext gemessen: {figures}.</translation>
    </message>
    <message>
        <source>A loaded model needs its tokenizer.</source>
        <translation>Ein geladenes Modell braucht seinen Tokenizer.</translation>
    </message>
    <message>
        <source>Give it as `tokenizer=`.</source>
        <translation>Den Tokenizer als `tokenizer=` angeben.</translation>
    </message>
    <message>
        <source>A {type} is no tokenizer.</source>
        <translation>{type} ist kein Tokenizer.</translation>
    </message>
    <message>
        <source>Give one of transformers&apos;.</source>
        <translation>Einen von transformers angeben.</translation>
    </message>
    <message>
        <source>A {type} is no backbone.</source>
        <translation>{type} ist kein Backbone.</translation>
    </message>
    <message>
        <source>Give a name, a folder, a .gguf file or a transformers model; of a PEFT model, the model inside it.</source>
        <translation>Einen Namen, einen Ordner, eine .gguf-Datei oder ein Modell von transformers angeben; von einem PEFT-Modell das Modell darin.</translation>
    </message>
    <message>
        <source>{name} cannot be used: {reason}.</source>
        <translation>{name} ist nicht verwendbar: {reason}.</translation>
    </message>
    <message>
        <source>Choose another backbone.</source>
        <translation>Ein anderes Backbone wählen.</translation>
    </message>
    <message>
        <source>The adapter {name!r} was not trained with train_adapter, so it cannot be saved.</source>
        <translation>Der Adapter {name!r} wurde nicht mit train_adapter trainiert und lässt sich deshalb nicht speichern.</translation>
    </message>
    <message>
        <source>Train it, or take it out with remove_adapter.</source>
        <translation>Den Adapter trainieren oder mit remove_adapter herausnehmen.</translation>
    </message>
    <message>
        <source>The backbone has no name or folder, so the project could not find it again.</source>
        <translation>Das Backbone hat weder Namen noch Ordner; das Projekt fände es nicht wieder.</translation>
    </message>
    <message>
        <source>Save the model first (save_pretrained), and load it from there.</source>
        <translation>Das Modell zuerst speichern (save_pretrained) und von dort laden.</translation>
    </message>
    <message>
        <source>The backbone&apos;s weights are no longer those that it was loaded with, so no project could use it.</source>
        <translation>Die Gewichte des Backbones sind nicht mehr die, mit denen es geladen wurde, so dass kein Projekt es benutzen könnte.</translation>
    </message>
    <message>
        <source>Load it in the precision that you want, and train over that.</source>
        <translation>Laden Sie es in der Genauigkeit, die Sie wollen, und trainieren Sie darüber.</translation>
    </message>
    <message>
        <source>{path} cannot be written: {reason}.</source>
        <translation>{path} lässt sich nicht schreiben: {reason}.</translation>
    </message>
    <message>
        <source>Choose another place.</source>
        <translation>Einen anderen Ort wählen.</translation>
    </message>
    <message>
        <source>The backbone is not the one this project was made with.</source>
        <translation>Das ist nicht das Backbone, mit dem dieses Projekt angelegt wurde.</translation>
    </message>
    <message>
        <source>Load the original model.</source>
        <translation>Das ursprüngliche Modell laden.</translation>
    </message>
    <message>
        <source>The epoch {slug} is damaged: {note}.</source>
        <translation>Die Epoche {slug} ist beschädigt: {note}.</translation>
    </message>
    <message>
        <source>Restore its folder from a copy.</source>
        <translation>Den Ordner der Epoche aus einer Kopie wiederherstellen.</translation>
    </message>
    <message>
        <source>The epoch {names} has weights that are no numbers (NaN), which silence the whole mixture.</source>
        <translation>Die Epoche {names} hat Gewichte, die keine Zahlen sind (NaN); davon verstummt die ganze Mischung.</translation>
    </message>
    <message>
        <source>The epochs {names} have weights that are no numbers (NaN), which silence the whole mixture.</source>
        <translation>Die Epochen {names} haben Gewichte, die keine Zahlen sind (NaN); davon verstummt die ganze Mischung.</translation>
    </message>
    <message>
        <source>Delete it, and train it anew with a lower learning rate. Another epoch alone can generate meanwhile.</source>
        <translation>Löschen und mit kleinerer Lernrate neu trainieren. Eine andere Epoche allein kann bis dahin Text erzeugen.</translation>
    </message>
    <message>
        <source>The Time Mixer has weights that are no numbers (NaN), so it cannot decide who speaks.</source>
        <translation>Der Time Mixer hat Gewichte, die keine Zahlen sind (NaN), und kann nicht entscheiden, wer spricht.</translation>
    </message>
    <message>
        <source>An epoch alone can generate; else restore the project from a copy.</source>
        <translation>Eine Epoche allein kann Text erzeugen; sonst das Projekt aus einer Kopie wiederherstellen.</translation>
    </message>
    <message>
        <source>The mixture&apos;s answer is no number (NaN), though the weights of every epoch are finite.</source>
        <translation>Die Antwort der Mischung ist keine Zahl (NaN), obwohl die Gewichte aller Epochen endlich sind.</translation>
    </message>
    <message>
        <source>Choose another mode, or put the mixing desk back.</source>
        <translation>Einen anderen Modus wählen oder das Mischpult zurückstellen.</translation>
    </message>
    <message>
        <source>{path} is a file and no model.</source>
        <translation>{path} ist eine Datei und kein Modell.</translation>
    </message>
    <message>
        <source>Choose the folder it is in, or a .gguf file.</source>
        <translation>Den Ordner wählen, in dem sie liegt, oder eine .gguf-Datei.</translation>
    </message>
    <message>
        <source>Loading {name}</source>
        <translation>{name} wird geladen</translation>
    </message>
    <message>
        <source>{name} does not fit into the memory of the {device} device.</source>
        <translation>{name} passt nicht in den Speicher des Geräts {device}.</translation>
    </message>
    <message>
        <source>Choose a smaller model.</source>
        <translation>Ein kleineres Modell wählen.</translation>
    </message>
    <message>
        <source>No backbone is named.</source>
        <translation>Es ist kein Backbone angegeben.</translation>
    </message>
    <message>
        <source>Choose the starter backbone, a model folder or a .gguf file.</source>
        <translation>Das Starter-Backbone, einen Modellordner oder eine .gguf-Datei wählen.</translation>
    </message>
    <message>
        <source>{name} is an address.</source>
        <translation>{name} ist eine Adresse.</translation>
    </message>
    <message>
        <source>Give the model&apos;s id on the Hub (owner/name), or a folder here.</source>
        <translation>Den Namen des Modells auf dem Hub angeben (Besitzer/Name) oder einen Ordner auf diesem Rechner.</translation>
    </message>
    <message>
        <source>{name} does not exist.</source>
        <translation>{name} gibt es nicht.</translation>
    </message>
    <message>
        <source>Choose a model folder or .gguf file that is there.</source>
        <translation>Einen Modellordner oder eine .gguf-Datei wählen, die es gibt.</translation>
    </message>
    <message>
        <source>{folder} holds an adapter and no model.</source>
        <translation>{folder} enthält einen Adapter und kein Modell.</translation>
    </message>
    <message>
        <source>Choose the model that it was made for.</source>
        <translation>Das Modell wählen, für das er gemacht ist.</translation>
    </message>
    <message>
        <source>{folder} holds no model: there is no config.json.</source>
        <translation>{folder} enthält kein Modell: config.json fehlt.</translation>
    </message>
    <message>
        <source>Choose a folder with a saved model.</source>
        <translation>Einen Ordner mit einem gespeicherten Modell wählen.</translation>
    </message>
    <message>
        <source>{name} could not read eight tokens: {error}.</source>
        <translation>{name} konnte keine acht Tokens lesen: {error}.</translation>
    </message>
    <message>
        <source>Choose another model.</source>
        <translation>Ein anderes Modell wählen.</translation>
    </message>
    <message>
        <source>{name} says that it reads {count} tokens at most.</source>
        <translation>{name} gibt an, höchstens {count} Tokens zu lesen.</translation>
    </message>
    <message>
        <source>Choose another model, or mend max_position_embeddings in its config.json.</source>
        <translation>Ein anderes Modell wählen, oder max_position_embeddings in seiner config.json berichtigen.</translation>
    </message>
    <message>
        <source>Fetching {name}</source>
        <translation>{name} wird geholt</translation>
    </message>
    <message>
        <source>MB</source>
        <translation>MB</translation>
    </message>
    <message>
        <source>The disk that holds {folder} is full.</source>
        <translation>Der Datenträger mit {folder} ist voll.</translation>
    </message>
    <message>
        <source>Free some room, or set HF_HUB_CACHE.</source>
        <translation>Platz schaffen oder HF_HUB_CACHE setzen.</translation>
    </message>
    <message>
        <source>{folder} cannot be written to.</source>
        <translation>In {folder} lässt sich nicht schreiben.</translation>
    </message>
    <message>
        <source>Set HF_HUB_CACHE to a folder of yours.</source>
        <translation>HF_HUB_CACHE auf einen eigenen Ordner setzen.</translation>
    </message>
    <message>
        <source>{name} is gated.</source>
        <translation>{name} ist nur nach Zustimmung zugänglich.</translation>
    </message>
    <message>
        <source>Accept its terms on the Hub, then run `hf auth login`.</source>
        <translation>Den Bedingungen auf dem Hub zustimmen, dann `hf auth login` ausführen.</translation>
    </message>
    <message>
        <source>There is no model named {name!r} on the Hugging Face Hub.</source>
        <translation>Auf dem Hugging Face Hub gibt es kein Modell namens {name!r}.</translation>
    </message>
    <message>
        <source>Check the spelling (owner/name); a private or gated model needs `hf auth login` first.</source>
        <translation>Die Schreibweise prüfen (Besitzer/Name); private und zustimmungspflichtige Modelle brauchen zuerst `hf auth login`.</translation>
    </message>
    <message>
        <source>The download of {name} broke off ({error}).</source>
        <translation>Der Download von {name} ist abgebrochen ({error}).</translation>
    </message>
    <message>
        <source>Try again; what has arrived is kept.</source>
        <translation>Noch einmal versuchen; was schon da ist, bleibt.</translation>
    </message>
    <message>
        <source>The Hugging Face Hub answered {name!r} with error {status}.</source>
        <translation>Der Hugging Face Hub hat {name!r} mit dem Fehler {status} beantwortet.</translation>
    </message>
    <message>
        <source>Try again later.</source>
        <translation>Später noch einmal versuchen.</translation>
    </message>
    <message>
        <source>{name!r} is no folder here, and the Hugging Face Hub could not be reached ({error}).</source>
        <translation>{name!r} ist hier kein Ordner, und der Hugging Face Hub war nicht erreichbar ({error}).</translation>
    </message>
    <message>
        <source>Check the spelling and the network, or choose the starter backbone, a local folder or a .gguf file.</source>
        <translation>Schreibweise und Netz prüfen oder das Starter-Backbone, einen lokalen Ordner oder eine .gguf-Datei wählen.</translation>
    </message>
    <message>
        <source>{name} could not be read as a GGUF model: {error}.</source>
        <translation>{name} war nicht als GGUF-Modell lesbar: {error}.</translation>
    </message>
    <message>
        <source>Check that the file is complete and of an architecture that transformers knows.</source>
        <translation>Prüfen, ob die Datei vollständig ist und transformers ihre Architektur kennt.</translation>
    </message>
    <message>
        <source>{name} cannot be used: its weights hold NaN or infinity (in {key}).</source>
        <translation>{name} ist nicht verwendbar: Seine Gewichte enthalten NaN oder unendlich (in {key}).</translation>
    </message>
    <message>
        <source>Fetch the model anew, or choose another.</source>
        <translation>Das Modell neu holen oder ein anderes wählen.</translation>
    </message>
    <message>
        <source>its config.json says {role}: {number}, and the model has {rows} tokens</source>
        <translation>seine config.json nennt {role}: {number}, und das Modell hat {rows} Tokens</translation>
    </message>
    <message>
        <source>The tokenizer of {name} has tokens that the model lacks: {tokens}.</source>
        <translation>Der Tokenizer von {name} hat Tokens, die dem Modell fehlen: {tokens}.</translation>
    </message>
    <message>
        <source>Choose a model with the tokenizer that it was trained with.</source>
        <translation>Ein Modell mit dem Tokenizer wählen, mit dem es trainiert wurde.</translation>
    </message>
    <message>
        <source>its {file} is no file</source>
        <translation>{file} darin ist keine Datei</translation>
    </message>
    <message>
        <source>its config.json names no model_type</source>
        <translation>seine config.json nennt keinen model_type</translation>
    </message>
    <message>
        <source>transformers {version} knows no model of the type {kind!r}</source>
        <translation>transformers {version} kennt kein Modell vom Typ {kind!r}</translation>
    </message>
    <message>
        <source>it has a custom_generate folder</source>
        <translation>es hat einen Ordner custom_generate</translation>
    </message>
    <message>
        <source>transformers {version} knows no tokenizer {kind!r}</source>
        <translation>transformers {version} kennt keinen Tokenizer {kind!r}</translation>
    </message>
    <message>
        <source>it has no weights (model.safetensors)</source>
        <translation>es hat keine Gewichte (model.safetensors)</translation>
    </message>
    <message>
        <source>its {file} lists no files</source>
        <translation>{file} darin nennt keine Dateien</translation>
    </message>
    <message>
        <source>its {file} is missing</source>
        <translation>{file} fehlt darin</translation>
    </message>
    <message>
        <source>its {file} is cut short or no safetensors file</source>
        <translation>{file} darin ist abgeschnitten oder keine safetensors-Datei</translation>
    </message>
    <message>
        <source>{name} is one part of a split model, and the other parts are needed with it.</source>
        <translation>{name} ist ein Teil eines geteilten Modells; die anderen Teile gehören dazu.</translation>
    </message>
    <message>
        <source>Join them with `llama-gguf-split --merge`, or choose a .gguf that is one file.</source>
        <translation>Die Teile mit `llama-gguf-split --merge` zusammenfügen oder ein .gguf aus einer einzigen Datei wählen.</translation>
    </message>
    <message>
        <source>{name} is incomplete: it says that it has {declared} blocks, and holds {held}.</source>
        <translation>{name} ist unvollständig: Angegeben sind {declared} Blöcke, enthalten {held}.</translation>
    </message>
    <message>
        <source>Fetch the file anew, or choose another.</source>
        <translation>Die Datei neu holen oder eine andere wählen.</translation>
    </message>
    <message>
        <source>its config.json says {key}: {value:.3g}, and its files hold {count} tensors</source>
        <translation>seine config.json nennt {key}: {value:.3g}, und seine Dateien enthalten {count} Tensoren</translation>
    </message>
    <message>
        <source>its config.json describes a model of {values:.2g} values, and its files hold {held:.2g}</source>
        <translation>seine config.json beschreibt ein Modell mit {values:.2g} Werten, und seine Dateien enthalten {held:.2g}</translation>
    </message>
    <message>
        <source>{name} is incomplete: it lacks {names}.</source>
        <translation>{name} ist unvollständig: Es fehlt {names}.</translation>
    </message>
    <message>
        <source>Fetch the model anew, or choose another; whatever lacks would be random.</source>
        <translation>Das Modell neu holen oder ein anderes wählen; was fehlt, wäre Zufall.</translation>
    </message>
    <message>
        <source>{key} has the shape {stored}, and its config.json asks for {wanted}</source>
        <translation>{key} hat die Form {stored}, und seine config.json verlangt {wanted}</translation>
    </message>
    <message>
        <source>{type} as its config.json describes it has no place for {names}</source>
        <translation>{type}, wie es in config.json beschrieben ist, hat keinen Platz für {names}</translation>
    </message>
    <message>
        <source>There is too little memory for {name}.</source>
        <translation>Für {name} ist zu wenig Speicher da.</translation>
    </message>
    <message>
        <source>Close other programs, or choose a smaller model.</source>
        <translation>Andere Programme schließen oder ein kleineres Modell wählen.</translation>
    </message>
    <message>
        <source>its {file} names it</source>
        <translation>{file} darin nennt ihn</translation>
    </message>
    <message>
        <source>transformers knows no {what}</source>
        <translation>transformers kennt {what} nicht</translation>
    </message>
    <message>
        <source>{name} has its tokenizer as {file} only, which cannot be read without {packages}.</source>
        <translation>{name} hat seinen Tokenizer nur als {file}; das ist ohne {packages} nicht lesbar.</translation>
    </message>
    <message>
        <source>Run `pip install {packages}`, or add the model&apos;s tokenizer.json to the folder.</source>
        <translation>`pip install {packages}` ausführen oder die tokenizer.json des Modells in den Ordner legen.</translation>
    </message>
    <message>
        <source>it has no tokenizer (tokenizer.json)</source>
        <translation>es hat keinen Tokenizer (tokenizer.json)</translation>
    </message>
    <message>
        <source>its tokenizer ({file}) cannot be read: {error}</source>
        <translation>sein Tokenizer ({file}) ist nicht lesbar: {error}</translation>
    </message>
    <message>
        <source>{name} is not a causal language model, so it cannot write text token by token.</source>
        <translation>{name} ist kein kausales Sprachmodell und kann deshalb nicht Token für Token schreiben.</translation>
    </message>
    <message>
        <source>Choose a decoder model such as Llama, Qwen, GPT-2 or SmolLM.</source>
        <translation>Ein Decoder-Modell wie Llama, Qwen, GPT-2 oder SmolLM wählen.</translation>
    </message>
    <message>
        <source>{name} needs code of its own, which is never run here: {why}.</source>
        <translation>{name} braucht eigenen Code, und der wird hier nie ausgeführt: {why}.</translation>
    </message>
    <message>
        <source>Choose a model of a kind that transformers knows.</source>
        <translation>Ein Modell einer Art wählen, die transformers kennt.</translation>
    </message>
    <message>
        <source>{name} is quantised with {method}, which cannot be read here.</source>
        <translation>{name} ist mit {method} quantisiert; das ist hier nicht lesbar.</translation>
    </message>
    <message>
        <source>Choose the full-precision model that it was made from, or a .gguf file of it.</source>
        <translation>Das Modell in voller Genauigkeit wählen, aus dem es gemacht ist, oder eine .gguf-Datei davon.</translation>
    </message>
    <message>
        <source>{name} could not be loaded: {what}.</source>
        <translation>{name} ließ sich nicht laden: {what}.</translation>
    </message>
    <message>
        <source>Check that the folder holds a complete causal language model with its tokenizer.</source>
        <translation>Prüfen, ob der Ordner ein vollständiges kausales Sprachmodell mit seinem Tokenizer enthält.</translation>
    </message>
    <message>
        <source>an unnamed method</source>
        <translation>einem Verfahren ohne Namen</translation>
    </message>
    <message>
        <source>its {file} cannot be read ({reason})</source>
        <translation>{file} darin ist nicht lesbar ({reason})</translation>
    </message>
    <message>
        <source>its {file} is not a JSON object</source>
        <translation>{file} darin ist kein JSON-Objekt</translation>
    </message>
    <message>
        <source>{names} and {count:,} more</source>
        <translation>{names} und {count:,} weitere</translation>
    </message>
    <message>
        <source>Copying Python&apos;s standard library</source>
        <translation>Die Standardbibliothek von Python wird kopiert</translation>
    </message>
    <message>
        <source>The download of {name} {version} is not what was expected (its hash differs).</source>
        <translation>Der Download von {name} {version} ist nicht, was erwartet war (die Prüfsumme weicht ab).</translation>
    </message>
    <message>
        <source>Try again; if it stays so, check the package mirror that pip uses.</source>
        <translation>Noch einmal versuchen; bleibt es so, den Paketspiegel prüfen, den pip benutzt.</translation>
    </message>
    <message>
        <source>pip ended without a word</source>
        <translation>pip endete ohne ein Wort</translation>
    </message>
    <message>
        <source>{name} {version} could not be fetched: {reason}.</source>
        <translation>{name} {version} ließ sich nicht holen: {reason}.</translation>
    </message>
    <message>
        <source>Check the network (and pip&apos;s proxy or index settings), or choose a local model folder or .gguf file.</source>
        <translation>Das Netz prüfen (und die Proxy- oder Index-Einstellungen von pip) oder einen lokalen Modellordner oder eine .gguf-Datei wählen.</translation>
    </message>
    <message>
        <source>Free about 1 GB, or point TLORA_CACHE at a folder with room.</source>
        <translation>Etwa 1 GB freigeben oder TLORA_CACHE auf einen Ordner mit Platz setzen.</translation>
    </message>
    <message>
        <source>Point TLORA_CACHE at a folder of yours.</source>
        <translation>TLORA_CACHE auf einen eigenen Ordner setzen.</translation>
    </message>
    <message>
        <source>Unpacking {name}</source>
        <translation>{name} wird entpackt</translation>
    </message>
    <message>
        <source>Converting {name} (once)</source>
        <translation>{name} wird umgewandelt (einmalig)</translation>
    </message>
    <message>
        <source>steps</source>
        <translation>Schritte</translation>
    </message>
    <message>
        <source>A {type} is no text.</source>
        <translation>{type} ist kein Text.</translation>
    </message>
    <message>
        <source>Give a string.</source>
        <translation>Eine Zeichenkette angeben.</translation>
    </message>
    <message>
        <source>This text has tokens that this backbone lacks; another backbone may have written it.</source>
        <translation>Dieser Text hat Tokens, die diesem Backbone fehlen; vielleicht hat ihn ein anderes Backbone geschrieben.</translation>
    </message>
    <message>
        <source>Open it in a project around that one.</source>
        <translation>In einem Projekt mit jenem Backbone öffnen.</translation>
    </message>
    <message>
        <source>The tokenizer reads this text with tokens that the backbone lacks: {tokens}.</source>
        <translation>Der Tokenizer liest diesen Text mit Tokens, die dem Backbone fehlen: {tokens}.</translation>
    </message>
    <message>
        <source>Leave them out of the text, or choose a backbone whose tokenizer is its own.</source>
        <translation>Sie aus dem Text herausnehmen oder ein Backbone mit eigenem Tokenizer wählen.</translation>
    </message>
    <message>
        <source>No readable text was found here.</source>
        <translation>Hier ist kein lesbarer Text.</translation>
    </message>
    <message>
        <source>Choose plain text files.</source>
        <translation>Reine Textdateien wählen.</translation>
    </message>
    <message>
        <source>Storing the tokens</source>
        <translation>Tokens werden abgelegt</translation>
    </message>
    <message>
        <source>Make room there, or choose fewer training tokens.</source>
        <translation>Dort Platz schaffen oder weniger Trainings-Tokens wählen.</translation>
    </message>
    <message>
        <source>Add more text of the same kind; a few pages are enough to try, a book learns well.</source>
        <translation>Mehr Text derselben Art dazunehmen; einige Seiten reichen für einen Versuch, ein Buch lernt sich gut.</translation>
    </message>
    <message>
        <source>{name} ({reason})</source>
        <translation>{name} ({reason})</translation>
    </message>
    <message>
        <source>{problem} Not read: {names}.</source>
        <translation>{problem} Nicht gelesen: {names}.</translation>
    </message>
    <message>
        <source>empty</source>
        <translation>leer</translation>
    </message>
    <message>
        <source>damaged; read up to there</source>
        <translation>beschädigt; bis dahin gelesen</translation>
    </message>
    <message>
        <source>damaged</source>
        <translation>beschädigt</translation>
    </message>
    <message>
        <source>{count:,} documents left out that come twice</source>
        <translation>{count:,} doppelte Dokumente ausgelassen</translation>
    </message>
    <message>
        <source>Reading the corpus</source>
        <translation>Der Text wird gelesen</translation>
    </message>
    <message>
        <source>this backbone does not know {share:.0%} of this text</source>
        <translation>dieses Backbone kennt {share:.0%} dieses Textes nicht</translation>
    </message>
    <message>
        <source>binary, not text</source>
        <translation>binär, kein Text</translation>
    </message>
    <message>
        <source>read as {encoding}</source>
        <translation>als {encoding} gelesen</translation>
    </message>
    <message>
        <source>{count:,} NUL characters left out</source>
        <translation>{count:,} NUL-Zeichen ausgelassen</translation>
    </message>
    <message>
        <source>{encoding} with {count:,} damaged characters</source>
        <translation>{encoding} mit {count:,} beschädigten Zeichen</translation>
    </message>
    <message>
        <source>not UTF-8; read as {encoding}</source>
        <translation>kein UTF-8; als {encoding} gelesen</translation>
    </message>
    <message>
        <source>in an encoding that is not known here, or binary; save it as UTF-8</source>
        <translation>in einer Kodierung, die hier nicht bekannt ist, oder binär; als UTF-8 speichern</translation>
    </message>
    <message>
        <source>subtitles</source>
        <translation>Untertitel</translation>
    </message>
    <message>
        <source>plain text</source>
        <translation>reiner Text</translation>
    </message>
    <message>
        <source>mail</source>
        <translation>E-Mail</translation>
    </message>
    <message>
        <source>an archive</source>
        <translation>ein Archiv</translation>
    </message>
    <message>
        <source>a damaged archive</source>
        <translation>ein beschädigtes Archiv</translation>
    </message>
    <message>
        <source>{kind} is read with {library}, which is not installed: {command}</source>
        <translation>{kind} wird mit {library} gelesen, das nicht installiert ist: {command}</translation>
    </message>
    <message>
        <source>a notebook</source>
        <translation>ein Notebook</translation>
    </message>
    <message>
        <source>{path} is no path.</source>
        <translation>{path} ist kein Pfad.</translation>
    </message>
    <message>
        <source>Name a folder or files.</source>
        <translation>Einen Ordner oder Dateien angeben.</translation>
    </message>
    <message>
        <source>The path of the text is empty.</source>
        <translation>Der Pfad des Texts ist leer.</translation>
    </message>
    <message>
        <source>{path} is an address on the web.</source>
        <translation>{path} ist eine Adresse im Web.</translation>
    </message>
    <message>
        <source>Save its text and choose that file.</source>
        <translation>Den Text speichern und diese Datei wählen.</translation>
    </message>
    <message>
        <source>{path} cannot be looked at: {why}.</source>
        <translation>{path} lässt sich nicht ansehen: {why}.</translation>
    </message>
    <message>
        <source>{path} is no file: a pipe cannot be read twice.</source>
        <translation>{path} ist keine Datei: Eine Pipe lässt sich nicht zweimal lesen.</translation>
    </message>
    <message>
        <source>Name files or folders.</source>
        <translation>Dateien oder Ordner angeben.</translation>
    </message>
    <message>
        <source>This looks like a text, not like a path.</source>
        <translation>Das sieht wie ein Text aus, nicht wie ein Pfad.</translation>
    </message>
    <message>
        <source>Save it as a file, or give a list of texts.</source>
        <translation>Als Datei speichern oder eine Liste von Texten angeben.</translation>
    </message>
    <message>
        <source>Standard input cannot be read twice.</source>
        <translation>Die Standardeingabe lässt sich nicht zweimal lesen.</translation>
    </message>
    <message>
        <source>No file matches {path}.</source>
        <translation>Auf {path} passt keine Datei.</translation>
    </message>
    <message>
        <source>{path} does not exist.</source>
        <translation>{path} gibt es nicht.</translation>
    </message>
    <message>
        <source>Choose a folder or files that are there.</source>
        <translation>Einen Ordner oder Dateien wählen, die es gibt.</translation>
    </message>
    <message>
        <source>the same file is there already</source>
        <translation>dieselbe Datei ist schon dabei</translation>
    </message>
    <message>
        <source>the same folder is there already</source>
        <translation>derselbe Ordner ist schon dabei</translation>
    </message>
    <message>
        <source>no permission to open this folder</source>
        <translation>keine Berechtigung, diesen Ordner zu öffnen</translation>
    </message>
    <message>
        <source>hidden</source>
        <translation>versteckt</translation>
    </message>
    <message>
        <source>made by tools</source>
        <translation>von Werkzeugen angelegt</translation>
    </message>
    <message>
        <source>a link to a folder that it lies in</source>
        <translation>ein Link auf einen Ordner, in dem er liegt</translation>
    </message>
    <message>
        <source>ignored by .gitignore</source>
        <translation>von .gitignore ausgenommen</translation>
    </message>
    <message>
        <source>A pattern means nothing: {reason}.</source>
        <translation>Ein Muster sagt nichts aus: {reason}.</translation>
    </message>
    <message>
        <source>Write it as in a .gitignore.</source>
        <translation>Wie in einer .gitignore schreiben.</translation>
    </message>
    <message>
        <source>left out by a pattern</source>
        <translation>durch ein Muster ausgenommen</translation>
    </message>
    <message>
        <source>no pattern asks for it</source>
        <translation>kein Muster verlangt es</translation>
    </message>
    <message>
        <source>a project of this application, not text</source>
        <translation>ein Projekt dieser Anwendung, kein Text</translation>
    </message>
    <message>
        <source>an adapter, not text</source>
        <translation>ein Adapter, kein Text</translation>
    </message>
    <message>
        <source>a model, not text</source>
        <translation>ein Modell, kein Text</translation>
    </message>
    <message>
        <source>a tokenizer, not text</source>
        <translation>ein Tokenizer, kein Text</translation>
    </message>
    <message>
        <source>an epoch in training, not text</source>
        <translation>eine Epoche im Training, kein Text</translation>
    </message>
    <message>
        <source>not a regular file</source>
        <translation>keine gewöhnliche Datei</translation>
    </message>
    <message>
        <source>cannot be read: {reason}</source>
        <translation>nicht lesbar: {reason}</translation>
    </message>
    <message>
        <source>{kind} is not plain text; save it as .txt first</source>
        <translation>{kind} ist kein reiner Text; zuerst als .txt speichern</translation>
    </message>
    <message>
        <source>{kind}: the marks are learnt too; save the text alone</source>
        <translation>{kind}: Die Auszeichnung wird mitgelernt; den Text allein speichern</translation>
    </message>
    <message>
        <source>much of it is encoded data (base64 or the like), which is learnt too; save the text alone</source>
        <translation>vieles darin sind kodierte Daten (base64 oder Ähnliches), die mitgelernt werden; den Text allein speichern</translation>
    </message>
    <message>
        <source>Text {number:,} is no text but {type}.</source>
        <translation>Text {number:,} ist kein Text, sondern {type}.</translation>
    </message>
    <message>
        <source>Give a list of strings.</source>
        <translation>Eine Liste von Zeichenketten angeben.</translation>
    </message>
    <message>
        <source>A corpus cannot be made of {type}.</source>
        <translation>Aus {type} lässt sich kein Korpus machen.</translation>
    </message>
    <message>
        <source>Give a list of texts, or a path.</source>
        <translation>Eine Liste von Texten oder einen Pfad angeben.</translation>
    </message>
    <message>
        <source>These look like paths, not like texts.</source>
        <translation>Das sieht nach Pfaden aus, nicht nach Texten.</translation>
    </message>
    <message>
        <source>Give the texts themselves, or the paths as pathlib.Path objects.</source>
        <translation>Die Texte selbst angeben oder die Pfade als pathlib.Path.</translation>
    </message>
    <message>
        <source>the same text as {path}</source>
        <translation>derselbe Text wie {path}</translation>
    </message>
    <message>
        <source>The prompt has {tokens:,} tokens, but the backbone reads at most {limit:,} in all.</source>
        <translation>Der Prompt hat {tokens:,} Tokens, aber das Backbone liest insgesamt höchstens {limit:,}.</translation>
    </message>
    <message>
        <source>Shorten the prompt.</source>
        <translation>Den Prompt kürzen.</translation>
    </message>
    <message>
        <source>Nothing comes before the first token, so nobody could foresee it.</source>
        <translation>Vor dem ersten Token steht nichts; niemand konnte es vorhersehen.</translation>
    </message>
    <message>
        <source>Ask at a later one.</source>
        <translation>Bei einem späteren fragen.</translation>
    </message>
    <message>
        <source>Asking the mix</source>
        <translation>Die Mischung wird gefragt</translation>
    </message>
    <message>
        <source>tokens</source>
        <translation>Tokens</translation>
    </message>
    <message>
        <source>Asking every epoch alone</source>
        <translation>Jede Epoche wird allein gefragt</translation>
    </message>
    <message>
        <source>{name} was interrupted at step {step:,} of {steps:,}.</source>
        <translation>{name} wurde bei Schritt {step:,} von {steps:,} unterbrochen.</translation>
    </message>
    <message>
        <source>{name} is not broken.</source>
        <translation>{name} ist nicht beschädigt.</translation>
    </message>
    <message>
        <source>Train an epoch of another name.</source>
        <translation>Eine Epoche mit anderem Namen trainieren.</translation>
    </message>
    <message>
        <source>{name} cannot go on: {error}.</source>
        <translation>{name} lässt sich nicht fortsetzen: {error}.</translation>
    </message>
    <message>
        <source>Undo what was changed since, or delete this interrupted epoch and train it again.</source>
        <translation>Rückgängig machen, was seither geändert wurde, oder diese unterbrochene Epoche löschen und neu trainieren.</translation>
    </message>
    <message>
        <source>Choose another epoch.</source>
        <translation>Eine andere Epoche wählen.</translation>
    </message>
    <message>
        <source>{name} is in training.</source>
        <translation>{name} wird gerade trainiert.</translation>
    </message>
    <message>
        <source>Wait for its end, or stop it first.</source>
        <translation>Das Ende abwarten oder das Training zuerst stoppen.</translation>
    </message>
    <message>
        <source>Taking a sample</source>
        <translation>Eine Probe wird genommen</translation>
    </message>
    <message>
        <source>{name} is trained, but could not be stored: {error}.</source>
        <translation>{name} ist trainiert, ließ sich aber nicht speichern: {error}.</translation>
    </message>
    <message>
        <source>Mend that, then let the training go on: the epoch is stored at once.</source>
        <translation>Das beheben, dann das Training fortsetzen: Die Epoche wird sofort gespeichert.</translation>
    </message>
    <message>
        <source>{name}: {note}.</source>
        <translation>{name}: {note}.</translation>
    </message>
    <message>
        <source>What it learned is kept; it can go on from there.</source>
        <translation>Das Gelernte ist erhalten; das Training lässt sich dort fortsetzen.</translation>
    </message>
    <message>
        <source>Stop the training first.</source>
        <translation>Zuerst das Training stoppen.</translation>
    </message>
    <message>
        <source>The text up to here has {count:,} tokens, but the backbone reads at most {limit:,} in all.</source>
        <translation>Der Text bis hier hat {count:,} Tokens, aber das Backbone liest insgesamt höchstens {limit:,}.</translation>
    </message>
    <message>
        <source>Begin at an earlier token.</source>
        <translation>Bei einem früheren Token beginnen.</translation>
    </message>
    <message>
        <source>This text has {count:,} tokens, but the backbone reads at most {limit:,}.</source>
        <translation>Dieser Text hat {count:,} Tokens, aber das Backbone liest höchstens {limit:,}.</translation>
    </message>
    <message>
        <source>Another backbone may have written it; open it in a project around that one.</source>
        <translation>Vielleicht hat ihn ein anderes Backbone geschrieben; in einem Projekt mit jenem öffnen.</translation>
    </message>
    <message>
        <source>Reading the text</source>
        <translation>Der Text wird gelesen</translation>
    </message>
    <message>
        <source>Asking every mixer</source>
        <translation>Jeder Mixer wird gefragt</translation>
    </message>
    <message>
        <source>mixers</source>
        <translation>Mixer</translation>
    </message>
    <message>
        <source>The Time Mixer of the phase “{name}” gives weights that are no numbers (NaN).</source>
        <translation>Der Time Mixer der Phase „{name}“ gibt Gewichte, die keine Zahlen sind (NaN).</translation>
    </message>
    <message>
        <source>Delete the epoch that it was trained with.</source>
        <translation>Die Epoche löschen, mit der er trainiert wurde.</translation>
    </message>
    <message>
        <source>The text has {tokens:,} tokens, but the backbone reads at most {limit:,}.</source>
        <translation>Der Text hat {tokens:,} Tokens, aber das Backbone liest höchstens {limit:,}.</translation>
    </message>
    <message>
        <source>Have its beginning read, or choose a shorter text.</source>
        <translation>Den Anfang lesen lassen oder einen kürzeren Text wählen.</translation>
    </message>
    <message>
        <source>{path} is a folder.</source>
        <translation>{path} ist ein Ordner.</translation>
    </message>
    <message>
        <source>Choose a text file in it.</source>
        <translation>Eine Textdatei darin wählen.</translation>
    </message>
    <message>
        <source>{path} cannot be read: {reason}.</source>
        <translation>{path} ist nicht lesbar: {reason}.</translation>
    </message>
    <message>
        <source>Choose another file.</source>
        <translation>Eine andere Datei wählen.</translation>
    </message>
    <message>
        <source>{path}: {reason}.</source>
        <translation>{path}: {reason}.</translation>
    </message>
    <message>
        <source>Choose a plain text file.</source>
        <translation>Eine reine Textdatei wählen.</translation>
    </message>
    <message>
        <source>There is no text to read.</source>
        <translation>Es gibt keinen Text zum Lesen.</translation>
    </message>
    <message>
        <source>Paste a text or open a file that has one.</source>
        <translation>Einen Text einfügen oder eine Datei mit Text öffnen.</translation>
    </message>
    <message>
        <source>One token is too little to read.</source>
        <translation>Ein einziges Token ist zum Lesen zu wenig.</translation>
    </message>
    <message>
        <source>Paste or open a longer text.</source>
        <translation>Einen längeren Text einfügen oder öffnen.</translation>
    </message>
    <message>
        <source>Reading as {name} alone</source>
        <translation>{name} liest allein</translation>
    </message>
    <message>
        <source>its {part} blocks are of another size</source>
        <translation>die Blöcke von {part} haben eine andere Größe</translation>
    </message>
    <message>
        <source>its {part} blocks hold tokens that the backbone lacks</source>
        <translation>die Blöcke von {part} enthalten Tokens, die dem Backbone fehlen</translation>
    </message>
    <message>
        <source>its steps are not counted</source>
        <translation>die Schritte sind nicht gezählt</translation>
    </message>
    <message>
        <source>The checkpoint of {name} is damaged: {error}.</source>
        <translation>Der Zwischenstand von {name} ist beschädigt: {error}.</translation>
    </message>
    <message>
        <source>Discard it and train the epoch again.</source>
        <translation>Verwerfen und die Epoche neu trainieren.</translation>
    </message>
    <message>
        <source>damaged checkpoint</source>
        <translation>beschädigter Zwischenstand</translation>
    </message>
    <message>
        <source>{note}, when the application ended without warning</source>
        <translation>{note}, als die Anwendung ohne Vorwarnung endete</translation>
    </message>
    <message>
        <source>{note}: {reason}</source>
        <translation>{note}: {reason}</translation>
    </message>
    <message>
        <source>stopped after step {step:,} of {steps:,}</source>
        <translation>nach Schritt {step:,} von {steps:,} gestoppt</translation>
    </message>
    <message>
        <source>{name} of its memory is not finite</source>
        <translation>{name} in den Erinnerungen ist nicht endlich</translation>
    </message>
    <message>
        <source>{name} of its memory does not fit</source>
        <translation>{name} in den Erinnerungen passt nicht</translation>
    </message>
    <message>
        <source>its held-out text is none</source>
        <translation>der Prüftext ist keiner</translation>
    </message>
    <message>
        <source>its held-out text was written for another backbone</source>
        <translation>der Prüftext gehört zu einem anderen Backbone</translation>
    </message>
    <message>
        <source>step {step} is kept, the best on held-out text</source>
        <translation>Schritt {step} ist behalten, der beste am Prüftext</translation>
    </message>
    <message>
        <source>not compared with a training without Active Sleep, which the joint objective does not allow</source>
        <translation>nicht mit einem Training ohne Active Sleep verglichen; das gemeinsame Lernziel erlaubt es nicht</translation>
    </message>
    <message>
        <source>it was deleted once; its slot was learned anew</source>
        <translation>war einmal gelöscht; ihr Slot wurde neu gelernt</translation>
    </message>
    <message>
        <source>stopped after {step} of {steps} steps</source>
        <translation>nach {step} von {steps} Schritten gestoppt</translation>
    </message>
    <message>
        <source>{note}; {other}</source>
        <translation>{note}; {other}</translation>
    </message>
    <message>
        <source>That epoch is no longer in the project.</source>
        <translation>Diese Epoche ist nicht mehr im Projekt.</translation>
    </message>
    <message>
        <source>Choose another one.</source>
        <translation>Etwas anderes wählen.</translation>
    </message>
    <message>
        <source>Several epochs are named {name!r:.80}.</source>
        <translation>Mehrere Epochen heißen {name!r:.80}.</translation>
    </message>
    <message>
        <source>No epoch is named {name!r:.80}.</source>
        <translation>Keine Epoche heißt {name!r:.80}.</translation>
    </message>
    <message>
        <source>Choose one of: {names}.</source>
        <translation>Zur Wahl stehen: {names}.</translation>
    </message>
    <message>
        <source>Train one first.</source>
        <translation>Zuerst eine trainieren.</translation>
    </message>
    <message>
        <source>A name has at most {limit} characters.</source>
        <translation>Ein Name hat höchstens {limit} Zeichen.</translation>
    </message>
    <message>
        <source>Choose a shorter name.</source>
        <translation>Einen kürzeren Namen wählen.</translation>
    </message>
    <message>
        <source>An epoch needs a name.</source>
        <translation>Eine Epoche braucht einen Namen.</translation>
    </message>
    <message>
        <source>Give it one.</source>
        <translation>Bitte einen angeben.</translation>
    </message>
    <message>
        <source>Choose another name.</source>
        <translation>Einen anderen Namen wählen.</translation>
    </message>
    <message>
        <source>The name {name!r} is taken.</source>
        <translation>Der Name {name!r} ist vergeben.</translation>
    </message>
    <message>
        <source>{colour!r:.40} is no colour.</source>
        <translation>{colour!r:.40} ist keine Farbe.</translation>
    </message>
    <message>
        <source>Use #RRGGBB, such as #0072B2.</source>
        <translation>#RRGGBB angeben, etwa #0072B2.</translation>
    </message>
    <message>
        <source>This text is damaged on disk.</source>
        <translation>Dieser Text ist auf dem Datenträger beschädigt.</translation>
    </message>
    <message>
        <source>The others are not; delete it from the list.</source>
        <translation>Die anderen nicht; ihn aus der Liste löschen.</translation>
    </message>
    <message>
        <source>This text is not in the trash.</source>
        <translation>Dieser Text ist nicht im Papierkorb.</translation>
    </message>
    <message>
        <source>This text is not kept in the project.</source>
        <translation>Dieser Text ist nicht im Projekt aufbewahrt.</translation>
    </message>
    <message>
        <source>{path} is not empty.</source>
        <translation>{path} ist nicht leer.</translation>
    </message>
    <message>
        <source>Choose a new or empty folder for the project.</source>
        <translation>Einen neuen oder leeren Ordner für das Projekt wählen.</translation>
    </message>
    <message>
        <source>{path} cannot be made: {reason}.</source>
        <translation>{path} lässt sich nicht anlegen: {reason}.</translation>
    </message>
    <message>
        <source>Choose a folder of yours.</source>
        <translation>Einen eigenen Ordner wählen.</translation>
    </message>
    <message>
        <source>Ask for a whole copy.</source>
        <translation>Um eine vollständige Kopie bitten.</translation>
    </message>
    <message>
        <source>in training elsewhere; `tlora follow` looks on</source>
        <translation>wird anderswo trainiert; `tlora follow` sieht zu</translation>
    </message>
    <message>
        <source>{name} can only be read here.</source>
        <translation>{name} ist hier nur lesbar.</translation>
    </message>
    <message>
        <source>Copy its folder to where you may write, and open the copy.</source>
        <translation>Den Ordner dorthin kopieren, wo Schreiben erlaubt ist, und die Kopie öffnen.</translation>
    </message>
    <message>
        <source>Another project is in {path}.</source>
        <translation>In {path} liegt ein anderes Projekt.</translation>
    </message>
    <message>
        <source>The project&apos;s folder is no longer there: {path}.</source>
        <translation>Der Ordner des Projekts ist nicht mehr da: {path}.</translation>
    </message>
    <message>
        <source>Put it back under this name, or open it where it is now.</source>
        <translation>Ihn unter diesem Namen zurücklegen oder das Projekt dort öffnen, wo es jetzt liegt.</translation>
    </message>
    <message>
        <source>{name} was kept as a PEFT adapter in {folder}.</source>
        <translation>{name} ist als PEFT-Adapter in {folder} aufbewahrt.</translation>
    </message>
    <message>
        <source>Restore the Time Mixer first: repair it in the window, or by `tlora repair`.</source>
        <translation>Zuerst den Time Mixer wiederherstellen: im Fenster reparieren oder mit `tlora repair`.</translation>
    </message>
    <message>
        <source>That epoch is not finished.</source>
        <translation>Diese Epoche ist nicht fertig.</translation>
    </message>
    <message>
        <source>Finish its training first.</source>
        <translation>Zuerst das Training zu Ende führen.</translation>
    </message>
    <message>
        <source>{folder} is already there.</source>
        <translation>{folder} gibt es schon.</translation>
    </message>
    <message>
        <source>Choose another folder, or remove it first.</source>
        <translation>Einen anderen Ordner wählen oder diesen zuerst entfernen.</translation>
    </message>
    <message>
        <source>Not everything in the trash can be removed: {reason}.</source>
        <translation>Nicht alles im Papierkorb lässt sich entfernen: {reason}.</translation>
    </message>
    <message>
        <source>This epoch is not in the trash.</source>
        <translation>Diese Epoche ist nicht im Papierkorb.</translation>
    </message>
    <message>
        <source>it was left out when the project was sent</source>
        <translation>es wurde beim Senden des Projekts weggelassen</translation>
    </message>
    <message>
        <source>its memory is not there, so later sleep rests on its dreams: {error}</source>
        <translation>ihr Gedächtnis fehlt, späterer Schlaf stützt sich auf ihre Träume: {error}</translation>
    </message>
    <message>
        <source>{name} is broken.</source>
        <translation>{name} ist beschädigt.</translation>
    </message>
    <message>
        <source>Leave it out, or restore it first.</source>
        <translation>Auslassen oder zuerst wiederherstellen.</translation>
    </message>
    <message>
        <source>Merging epochs</source>
        <translation>Epochen werden zusammengeführt</translation>
    </message>
    <message>
        <source>Writing the export</source>
        <translation>Export wird geschrieben</translation>
    </message>
    <message>
        <source>Choose another folder.</source>
        <translation>Einen anderen Ordner wählen.</translation>
    </message>
    <message>
        <source>There is no epoch to merge.</source>
        <translation>Es gibt keine Epoche zum Zusammenführen.</translation>
    </message>
    <message>
        <source>Choose one or more.</source>
        <translation>Eine oder mehrere wählen.</translation>
    </message>
    <message>
        <source>An epoch was named twice.</source>
        <translation>Eine Epoche wurde zweimal genannt.</translation>
    </message>
    <message>
        <source>Name each of them once.</source>
        <translation>Jede nur einmal nennen.</translation>
    </message>
    <message>
        <source>A weight is above 0 and at most {limit}.</source>
        <translation>Ein Gewicht liegt über 0 und bei höchstens {limit}.</translation>
    </message>
    <message>
        <source>Leave epochs out that are to have none.</source>
        <translation>Epochen ohne Gewicht auslassen.</translation>
    </message>
    <message>
        <source>A rank is 1 or more.</source>
        <translation>Ein Rang ist mindestens 1.</translation>
    </message>
    <message>
        <source>A merged model has no rank.</source>
        <translation>Ein zusammengeführtes Modell hat keinen Rang.</translation>
    </message>
    <message>
        <source>Leave it out to keep the merge exact.</source>
        <translation>Weglassen, damit die Zusammenführung exakt bleibt.</translation>
    </message>
    <message>
        <source>A merged model is not written as GGUF.</source>
        <translation>Ein zusammengeführtes Modell wird nicht als GGUF geschrieben.</translation>
    </message>
    <message>
        <source>Export a folder, and convert it with llama.cpp&apos;s convert_hf_to_gguf.py.</source>
        <translation>Einen Ordner exportieren und mit convert_hf_to_gguf.py von llama.cpp umwandeln.</translation>
    </message>
    <message>
        <source>The weights of {name} are quantised, so that nothing can be added to them.</source>
        <translation>Die Gewichte von {name} sind quantisiert; zu ihnen lässt sich nichts addieren.</translation>
    </message>
    <message>
        <source>Merge the epochs into one adapter instead.</source>
        <translation>Die Epochen stattdessen zu einem Adapter zusammenführen.</translation>
    </message>
    <message>
        <source>Close what else needs memory, or merge into one adapter.</source>
        <translation>Schließen, was sonst Speicher braucht, oder zu einem Adapter zusammenführen.</translation>
    </message>
    <message>
        <source>it is not finite</source>
        <translation>er ist nicht endlich</translation>
    </message>
    <message>
        <source>Nothing was changed; restore that file from a copy. The epochs are whole PEFT adapters.</source>
        <translation>Nichts wurde geändert; diese Datei aus einer Kopie wiederherstellen. Die Epochen sind vollständige PEFT-Adapter.</translation>
    </message>
    <message>
        <source>The Time Mixer in {problem}</source>
        <translation>Der Time Mixer: {problem}</translation>
    </message>
    <message>
        <source>{name} was made by a newer tlora-gui (project format {version}).</source>
        <translation>{name} stammt von einem neueren tlora-gui (Projektformat {version}).</translation>
    </message>
    <message>
        <source>Update tlora-gui.</source>
        <translation>tlora-gui aktualisieren.</translation>
    </message>
    <message>
        <source>its format is none</source>
        <translation>das Format ist keines</translation>
    </message>
    <message>
        <source>{folder} is not a Temporal LoRA project: it holds no {file}.</source>
        <translation>{folder} ist kein Temporal-LoRA-Projekt: {file} fehlt.</translation>
    </message>
    <message>
        <source>Choose a project&apos;s folder.</source>
        <translation>Den Ordner eines Projekts wählen.</translation>
    </message>
    <message>
        <source>Nothing was changed; restore that file from a copy. The epochs beside it are whole PEFT adapters.</source>
        <translation>Nichts wurde geändert; diese Datei aus einer Kopie wiederherstellen. Die Epochen daneben sind vollständige PEFT-Adapter.</translation>
    </message>
    <message>
        <source>more than {limit:,} epochs</source>
        <translation>mehr als {limit:,} Epochen</translation>
    </message>
    <message>
        <source>two epochs in one folder</source>
        <translation>zwei Epochen in einem Ordner</translation>
    </message>
    <message>
        <source>slots of a mixer are not its epochs</source>
        <translation>die Slots eines Mixers sind nicht seine Epochen</translation>
    </message>
    <message>
        <source>an epoch without a name that can be used</source>
        <translation>eine Epoche ohne brauchbaren Namen</translation>
    </message>
    <message>
        <source>a text in it is too long</source>
        <translation>ein Text darin ist zu lang</translation>
    </message>
    <message>
        <source>{name!r:.60} is no plain name</source>
        <translation>{name!r:.60} ist kein einfacher Name</translation>
    </message>
    <message>
        <source>{folder} is no folder.</source>
        <translation>{folder} ist kein Ordner.</translation>
    </message>
    <message>
        <source>{name} is open in another window or command.</source>
        <translation>{name} ist in einem anderen Fenster oder Befehl geöffnet.</translation>
    </message>
    <message>
        <source>Close it there first, or choose another project.</source>
        <translation>Es dort zuerst schließen oder ein anderes Projekt wählen.</translation>
    </message>
    <message>
        <source>{name} is open on the machine {machine}.</source>
        <translation>{name} ist auf dem Rechner {machine} geöffnet.</translation>
    </message>
    <message>
        <source>Close it there first. If nothing has it open there any more, delete {file}.</source>
        <translation>Zuerst dort schließen. Hat es dort niemand mehr offen, {file} löschen.</translation>
    </message>
    <message>
        <source>{folder} cannot be locked: {reason}.</source>
        <translation>{folder} lässt sich nicht sperren: {reason}.</translation>
    </message>
    <message>
        <source>Copy the project to a drive of this machine.</source>
        <translation>Das Projekt auf ein Laufwerk dieses Rechners kopieren.</translation>
    </message>
    <message>
        <source>a line of a history is no object</source>
        <translation>eine Zeile eines Verlaufs ist kein Objekt</translation>
    </message>
    <message>
        <source>a figure is none</source>
        <translation>eine Zahl ist keine</translation>
    </message>
    <message>
        <source>a name has 1 to {limit} characters</source>
        <translation>ein Name hat 1 bis {limit} Zeichen</translation>
    </message>
    <message>
        <source>an era has at most {limit:,} characters</source>
        <translation>eine Ära hat höchstens {limit:,} Zeichen</translation>
    </message>
    <message>
        <source>a colour is #RRGGBB</source>
        <translation>eine Farbe ist #RRGGBB</translation>
    </message>
    <message>
        <source>tokens is no count</source>
        <translation>tokens ist keine Anzahl</translation>
    </message>
    <message>
        <source>a loss is impossible</source>
        <translation>ein Verlust ist unmöglich</translation>
    </message>
    <message>
        <source>a path of its text is none</source>
        <translation>ein Pfad des Texts ist keiner</translation>
    </message>
    <message>
        <source>the line was cut off</source>
        <translation>die Zeile ist abgeschnitten</translation>
    </message>
    <message>
        <source>slots are the backbone, then epochs</source>
        <translation>Slots sind das Backbone, dann Epochen</translation>
    </message>
    <message>
        <source>colours are #RRGGBB</source>
        <translation>Farben sind #RRGGBB</translation>
    </message>
    <message>
        <source>changes of the mixing desk are out of order</source>
        <translation>Änderungen des Mischpults sind nicht in der Reihenfolge</translation>
    </message>
    <message>
        <source>a line of a history is no step and no measurement</source>
        <translation>eine Zeile des Verlaufs ist weder Schritt noch Messung</translation>
    </message>
    <message>
        <source>a line of kept texts has no summary</source>
        <translation>eine Zeile der aufbewahrten Texte hat keine Zusammenfassung</translation>
    </message>
    <message>
        <source>a line of kept texts has no id</source>
        <translation>eine Zeile der aufbewahrten Texte hat keine Kennung</translation>
    </message>
    <message>
        <source>branch_at is negative</source>
        <translation>branch_at ist negativ</translation>
    </message>
    <message>
        <source>tokens_per_second is negative</source>
        <translation>tokens_per_second ist negativ</translation>
    </message>
    <message>
        <source>tokens are out of order</source>
        <translation>Tokens sind nicht in der Reihenfolge</translation>
    </message>
    <message>
        <source>a token&apos;s weights are not one per slot</source>
        <translation>ein Token hat nicht je Slot ein Gewicht</translation>
    </message>
    <message>
        <source>weights lie in [0, 1]</source>
        <translation>Gewichte liegen in [0, 1]</translation>
    </message>
    <message>
        <source>weights sum to 1</source>
        <translation>Gewichte ergeben zusammen 1</translation>
    </message>
    <message>
        <source>ranks begin at 1</source>
        <translation>Ränge beginnen bei 1</translation>
    </message>
    <message>
        <source>a token&apos;s reasons are impossible</source>
        <translation>die Gründe eines Tokens sind unmöglich</translation>
    </message>
    <message>
        <source>probabilities lie in [0, 1]</source>
        <translation>Wahrscheinlichkeiten liegen in [0, 1]</translation>
    </message>
    <message>
        <source>a report has one lag per part</source>
        <translation>ein Bericht hat je Teil eine Verzögerung</translation>
    </message>
    <message>
        <source>parts are out of order</source>
        <translation>Teile sind nicht in der Reihenfolge</translation>
    </message>
    <message>
        <source>a part is no slot&apos;s</source>
        <translation>ein Teil gehört zu keinem Slot</translation>
    </message>
    <message>
        <source>a count is negative</source>
        <translation>eine Anzahl ist negativ</translation>
    </message>
    <message>
        <source>created is no time</source>
        <translation>created ist keine Zeit</translation>
    </message>
    <message>
        <source>unknown objective {name}; known: &apos;isolated&apos;, &apos;joint&apos;</source>
        <translation>unbekanntes Lernziel {name}; bekannt: &apos;isolated&apos;, &apos;joint&apos;</translation>
    </message>
    <message>
        <source>sleep must be SleepSettings</source>
        <translation>sleep muss SleepSettings sein</translation>
    </message>
    <message>
        <source>the prompt of samples is too long</source>
        <translation>der Prompt der Proben ist zu lang</translation>
    </message>
    <message>
        <source>{name} must be patterns, none of them empty</source>
        <translation>{name} müssen Muster sein, keines davon leer</translation>
    </message>
    <message>
        <source>column must be a name</source>
        <translation>column muss ein Name sein</translation>
    </message>
    <message>
        <source>unknown lock {name} of the mixing desk</source>
        <translation>unbekannter Modus {name} des Mischpults</translation>
    </message>
    <message>
        <source>levels must lie in [0, 2]</source>
        <translation>Pegel müssen in [0, 2] liegen</translation>
    </message>
    <message>
        <source>{message} {hint}</source>
        <translation>{message} {hint}</translation>
    </message>
    <message>
        <source>Say where the model is now; its weights tell whether it is the same.</source>
        <translation>Angeben, wo das Modell jetzt ist; die Gewichte zeigen, ob es dasselbe ist.</translation>
    </message>
    <message>
        <source>Let that training go on, or delete it to begin anew, or choose another name.</source>
        <translation>Jenes Training fortsetzen, es löschen und neu beginnen oder einen anderen Namen wählen.</translation>
    </message>
    <message>
        <source>{reason} (system error {number})</source>
        <translation>{reason} (Systemfehler {number})</translation>
    </message>
    <message>
        <source>{reason} ({path:.300}).</source>
        <translation>{reason} ({path:.300}).</translation>
    </message>
    <message>
        <source>Permission denied</source>
        <translation>keine Berechtigung</translation>
    </message>
    <message>
        <source>Operation not permitted</source>
        <translation>nicht erlaubt</translation>
    </message>
    <message>
        <source>No such file or directory</source>
        <translation>Datei oder Ordner nicht gefunden</translation>
    </message>
    <message>
        <source>Not a directory</source>
        <translation>kein Ordner</translation>
    </message>
    <message>
        <source>Is a directory</source>
        <translation>ist ein Ordner</translation>
    </message>
    <message>
        <source>File exists</source>
        <translation>gibt es schon</translation>
    </message>
    <message>
        <source>Read-only file system</source>
        <translation>der Datenträger ist nur lesbar</translation>
    </message>
    <message>
        <source>No space left on device</source>
        <translation>kein Platz mehr auf dem Datenträger</translation>
    </message>
    <message>
        <source>Input/output error</source>
        <translation>Ein-/Ausgabefehler</translation>
    </message>
    <message>
        <source>File name too long</source>
        <translation>der Dateiname ist zu lang</translation>
    </message>
    <message>
        <source>Too many open files</source>
        <translation>zu viele offene Dateien</translation>
    </message>
    <message>
        <source>Too many open files in system</source>
        <translation>zu viele offene Dateien im System</translation>
    </message>
    <message>
        <source>Device or resource busy</source>
        <translation>Gerät oder Datei wird gerade benutzt</translation>
    </message>
    <message>
        <source>Directory not empty</source>
        <translation>Ordner nicht leer</translation>
    </message>
    <message>
        <source>Too many levels of symbolic links</source>
        <translation>zu viele Verknüpfungen hintereinander</translation>
    </message>
    <message>
        <source>Disk quota exceeded</source>
        <translation>Speicherkontingent erschöpft</translation>
    </message>
    <message>
        <source>File too large</source>
        <translation>Datei zu groß</translation>
    </message>
    <message>
        <source>Invalid argument</source>
        <translation>ungültige Angabe</translation>
    </message>
    <message>
        <source>Invalid cross-device link</source>
        <translation>liegt auf einem anderen Datenträger</translation>
    </message>
    <message>
        <source>No such device</source>
        <translation>Gerät nicht vorhanden</translation>
    </message>
    <message>
        <source>No such device or address</source>
        <translation>Gerät oder Adresse nicht vorhanden</translation>
    </message>
    <message>
        <source>No locks available</source>
        <translation>keine Sperren verfügbar</translation>
    </message>
    <message>
        <source>Stale file handle</source>
        <translation>Datei auf dem Netzlaufwerk nicht mehr gültig</translation>
    </message>
    <message>
        <source>Operation not supported</source>
        <translation>Vorgang nicht unterstützt</translation>
    </message>
    <message>
        <source>Cannot allocate memory</source>
        <translation>zu wenig Arbeitsspeicher</translation>
    </message>
    <message>
        <source>Broken pipe</source>
        <translation>Gegenseite liest nicht mehr</translation>
    </message>
    <message>
        <source>Connection timed out</source>
        <translation>Zeitüberschreitung der Verbindung</translation>
    </message>
    <message>
        <source>Connection refused</source>
        <translation>Verbindung abgelehnt</translation>
    </message>
    <message>
        <source>Connection reset by peer</source>
        <translation>Verbindung von der Gegenseite getrennt</translation>
    </message>
    <message>
        <source>Network is unreachable</source>
        <translation>Netzwerk nicht erreichbar</translation>
    </message>
    <message>
        <source>No route to host</source>
        <translation>Gegenstelle nicht erreichbar</translation>
    </message>
    <message>
        <source>{one}, {other}</source>
        <translation>{one}, {other}</translation>
    </message>
    <message>
        <source>No project is open.</source>
        <translation>Es ist kein Projekt offen.</translation>
    </message>
    <message>
        <source>Open a project or make a new one first.</source>
        <translation>Zuerst ein Projekt öffnen oder anlegen.</translation>
    </message>
    <message>
        <source>The disk is full.</source>
        <translation>Der Datenträger ist voll.</translation>
    </message>
    <message>
        <source>Free some room and try again; nothing kept is lost.</source>
        <translation>Platz schaffen und noch einmal versuchen; nichts Gespeichertes ist verloren.</translation>
    </message>
    <message>
        <source>Close what else needs memory, or choose a smaller backbone.</source>
        <translation>Schließen, was sonst noch Speicher braucht, oder ein kleineres Backbone wählen.</translation>
    </message>
    <message>
        <source>There was not enough memory.</source>
        <translation>Der Speicher hat nicht gereicht.</translation>
    </message>
    <message>
        <source>There is no mixer strategy {name!r:.40}.</source>
        <translation>Eine Mixer-Strategie {name!r:.40} gibt es nicht.</translation>
    </message>
    <message>
        <source>Choose one of {names}.</source>
        <translation>Zur Wahl stehen {names}.</translation>
    </message>
    <message>
        <source>The Time Mixer does not switch by {name!r:.40}.</source>
        <translation>Der Time Mixer schaltet nicht mit {name!r:.40} um.</translation>
    </message>
    <message>
        <source>{name} has {depth} blocks, and no block {layer}.</source>
        <translation>{name} hat {depth} Blöcke und keinen Block {layer}.</translation>
    </message>
    <message>
        <source>Choose a mixer layer from 0 to {last}.</source>
        <translation>Eine Mixer-Schicht von 0 bis {last} wählen.</translation>
    </message>
    <message>
        <source>{name} is of project format {version} now.</source>
        <translation>{name} hat jetzt das Projektformat {version}.</translation>
    </message>
    <message>
        <source>What was changed for it is kept as it was in {folder}.</source>
        <translation>Was dafür geändert wurde, liegt unverändert in {folder}.</translation>
    </message>
    <message>
        <source>Loading epochs</source>
        <translation>Epochen werden geladen</translation>
    </message>
    <message>
        <source>The place of the backbone does not exist.</source>
        <translation>Den Ort des Backbones gibt es nicht.</translation>
    </message>
    <message>
        <source>{name} is not the backbone this project was made with; its weights differ.</source>
        <translation>{name} ist nicht das Backbone, mit dem dieses Projekt angelegt wurde; die Gewichte weichen ab.</translation>
    </message>
    <message>
        <source>{name} is not the backbone this project was made with, which is {own}.</source>
        <translation>{name} ist nicht das Backbone, mit dem dieses Projekt angelegt wurde; das ist {own}.</translation>
    </message>
    <message>
        <source>There is nothing to measure on: held_out_tokens must be at least 1.</source>
        <translation>Es gibt nichts zum Messen: held_out_tokens muss mindestens 1 sein.</translation>
    </message>
    <message>
        <source>No fewer than 0 stretches of text can be shown.</source>
        <translation>Weniger als 0 Textstellen lassen sich nicht zeigen.</translation>
    </message>
    <message>
        <source>There is no epoch to measure.</source>
        <translation>Es gibt keine Epoche zum Messen.</translation>
    </message>
    <message>
        <source>Train an epoch first.</source>
        <translation>Zuerst eine Epoche trainieren.</translation>
    </message>
    <message>
        <source>Reading where the Time Mixer errs</source>
        <translation>Liest, wo der Time Mixer irrt</translation>
    </message>
    <message>
        <source>texts</source>
        <translation>Texte</translation>
    </message>
    <message>
        <source>{name} is no generation of tlora-gui.</source>
        <translation>{name} ist kein Text von tlora-gui.</translation>
    </message>
    <message>
        <source>Choose a .json file that was exported here.</source>
        <translation>Eine .json-Datei wählen, die hier exportiert wurde.</translation>
    </message>
    <message>
        <source>{name} was made by a newer tlora-gui (format {version}).</source>
        <translation>{name} stammt von einem neueren tlora-gui (Format {version}).</translation>
    </message>
    <message>
        <source>{path} is no file.</source>
        <translation>{path} ist keine Datei.</translation>
    </message>
    <message>
        <source>Choose a .json file that is there.</source>
        <translation>Eine .json-Datei wählen, die es gibt.</translation>
    </message>
    <message>
        <source>{name} is larger than {limit} MB, which no generation is.</source>
        <translation>{name} ist größer als {limit} MB; so groß ist kein gespeicherter Text.</translation>
    </message>
    <message>
        <source>{path} is damaged: {error}.</source>
        <translation>{path} ist beschädigt: {error}.</translation>
    </message>
    <message>
        <source>Ask for the file again; nothing was changed.</source>
        <translation>Noch einmal um die Datei bitten; nichts wurde geändert.</translation>
    </message>
    <message>
        <source>a file without ending</source>
        <translation>eine Datei ohne Endung</translation>
    </message>
    <message>
        <source>A text is not exported as {ending}.</source>
        <translation>Als {ending} wird kein Text exportiert.</translation>
    </message>
    <message>
        <source>Use .html, .json, .md.</source>
        <translation>Möglich sind .html, .json, .md.</translation>
    </message>
    <message>
        <source>{path} cannot be written: it lies in the project {name}.</source>
        <translation>{path} lässt sich nicht schreiben: Es liegt im Projekt {name}.</translation>
    </message>
    <message>
        <source>{path} cannot be written: it is a folder.</source>
        <translation>{path} lässt sich nicht schreiben: Es ist ein Ordner.</translation>
    </message>
    <message>
        <source>A packed project is a file that ends in {ending}.</source>
        <translation>Ein gepacktes Projekt ist eine Datei, die auf {ending} endet.</translation>
    </message>
    <message>
        <source>Give it another name.</source>
        <translation>Einen anderen Namen wählen.</translation>
    </message>
    <message>
        <source>Choose another name, or remove it first.</source>
        <translation>Einen anderen Namen wählen oder es zuerst entfernen.</translation>
    </message>
    <message>
        <source>{path} cannot be written: there is no folder {folder}.</source>
        <translation>{path} lässt sich nicht schreiben: Den Ordner {folder} gibt es nicht.</translation>
    </message>
    <message>
        <source>Packing the project</source>
        <translation>Das Projekt wird gepackt</translation>
    </message>
    <message>
        <source>Unpacking the project</source>
        <translation>Das Projekt wird entpackt</translation>
    </message>
    <message>
        <source>{name} is not what was packed</source>
        <translation>{name} ist nicht, was gepackt wurde</translation>
    </message>
    <message>
        <source>it lists too many files</source>
        <translation>es nennt zu viele Dateien</translation>
    </message>
    <message>
        <source>it is no packed project</source>
        <translation>es ist kein gepacktes Projekt</translation>
    </message>
    <message>
        <source>it is encrypted</source>
        <translation>es ist verschlüsselt</translation>
    </message>
    <message>
        <source>it is packed in an unknown way</source>
        <translation>es ist auf unbekannte Weise gepackt</translation>
    </message>
    <message>
        <source>{name} is a link</source>
        <translation>{name} ist ein Link</translation>
    </message>
    <message>
        <source>it unpacks to more than {ratio} times its size</source>
        <translation>es wird beim Entpacken mehr als {ratio}-mal so groß</translation>
    </message>
    <message>
        <source>This project was packed by a newer tlora-gui (format {version}).</source>
        <translation>Dieses Projekt hat ein neueres tlora-gui gepackt (Format {version}).</translation>
    </message>
    <message>
        <source>its list of files is another&apos;s</source>
        <translation>die Liste seiner Dateien gehört zu etwas anderem</translation>
    </message>
    <message>
        <source>{name!r:.60} is no file of a project</source>
        <translation>{name!r:.60} ist keine Datei eines Projekts</translation>
    </message>
    <message>
        <source>{name} is in it twice</source>
        <translation>{name} ist zweimal darin</translation>
    </message>
    <message>
        <source>it holds no {name}</source>
        <translation>{name} fehlt darin</translation>
    </message>
    <message>
        <source>{name} cannot be unpacked: {reason}.</source>
        <translation>{name} lässt sich nicht entpacken: {reason}.</translation>
    </message>
    <message>
        <source>Nothing was written; ask for a whole copy.</source>
        <translation>Nichts wurde geschrieben; um eine ganze Kopie bitten.</translation>
    </message>
    <message>
        <source>{path} cannot be written: permission denied.</source>
        <translation>{path} lässt sich nicht schreiben: keine Berechtigung.</translation>
    </message>
    <message>
        <source>{path} needs {size:,.0f} MB, and {free:,.0f} MB are free there.</source>
        <translation>{path} braucht {size:,.0f} MB, und dort sind {free:,.0f} MB frei.</translation>
    </message>
    <message>
        <source>Free some room, or choose another disk.</source>
        <translation>Platz schaffen oder einen anderen Datenträger wählen.</translation>
    </message>
    <message>
        <source>{name} has more than {limit:,} MB</source>
        <translation>{name} hat mehr als {limit:,} MB</translation>
    </message>
    <message>
        <source>{name} leads out of the project</source>
        <translation>{name} führt aus dem Projekt hinaus</translation>
    </message>
    <message>
        <source>{path} is no file</source>
        <translation>{path} ist keine Datei</translation>
    </message>
    <message>
        <source>A part of the path {path} is not UTF-8.</source>
        <translation>Ein Teil des Pfads {path} ist kein UTF-8.</translation>
    </message>
    <message>
        <source>Give that folder another name.</source>
        <translation>Diesem Ordner einen anderen Namen geben.</translation>
    </message>
    <message>
        <source>{reason}: {name}</source>
        <translation>{reason}: {name}</translation>
    </message>
    <message>
        <source>{key:.200} is missing</source>
        <translation>{key:.200} fehlt</translation>
    </message>
    <message>
        <source>it is no text in UTF-8</source>
        <translation>das ist kein Text in UTF-8</translation>
    </message>
    <message>
        <source>it is no JSON from line {line}, column {column} on</source>
        <translation>ab Zeile {line}, Spalte {column} ist es kein JSON</translation>
    </message>
    <message>
        <source>its parts are nested too deeply</source>
        <translation>es ist zu tief verschachtelt</translation>
    </message>
    <message>
        <source>a part of it is of another kind than belongs there</source>
        <translation>ein Teil davon ist von anderer Art, als dorthin gehört</translation>
    </message>
    <message>
        <source>Nothing was changed; mend that and try again.</source>
        <translation>Nichts wurde geändert; das beheben und noch einmal versuchen.</translation>
    </message>
    <message>
        <source>{count:,} items where {kind} has {known}</source>
        <translation>{count:,} Einträge, wo {kind} {known} hat</translation>
    </message>
    <message>
        <source>{value} is none of {values}</source>
        <translation>{value} ist keines von {values}</translation>
    </message>
    <message>
        <source>a number of more than 64 bits</source>
        <translation>eine Zahl von mehr als 64 Bit</translation>
    </message>
    <message>
        <source>{value} is no finite number</source>
        <translation>{value} ist keine endliche Zahl</translation>
    </message>
    <message>
        <source>{type} where {wanted} belongs</source>
        <translation>{type}, wo {wanted} hingehört</translation>
    </message>
    <message>
        <source>Dreaming: the backbone samples its own text (once)</source>
        <translation>Träumen: Das Backbone erzeugt eigenen Text (einmalig)</translation>
    </message>
    <message>
        <source>Dreaming: the epoch samples its own text</source>
        <translation>Träumen: Die Epoche erzeugt eigenen Text</translation>
    </message>
    <message>
        <source>The backbone computes no numbers (NaN), so it cannot dream.</source>
        <translation>Das Backbone berechnet keine Zahlen (NaN) und kann nicht träumen.</translation>
    </message>
    <message>
        <source>The epoch computes no numbers (NaN), so it cannot dream.</source>
        <translation>Die Epoche berechnet keine Zahlen (NaN) und kann nicht träumen.</translation>
    </message>
    <message>
        <source>Train it again with a lower learning rate.</source>
        <translation>Mit kleinerer Lernrate neu trainieren.</translation>
    </message>
    <message>
        <source>Remembering the dreams for later sleep</source>
        <translation>Die Träume werden für späteren Schlaf gemerkt</translation>
    </message>
    <message>
        <source>Leaving a memory for later sleep</source>
        <translation>Erinnerungen für späteren Schlaf werden angelegt</translation>
    </message>
    <message>
        <source>blocks</source>
        <translation>Blöcke</translation>
    </message>
    <message>
        <source>Blocks of {block_size:,} tokens are too long: the backbone reads at most {limit:,}.</source>
        <translation>Blöcke von {block_size:,} Tokens sind zu lang: Das Backbone liest höchstens {limit:,}.</translation>
    </message>
    <message>
        <source>Choose shorter blocks.</source>
        <translation>Kürzere Blöcke wählen.</translation>
    </message>
    <message>
        <source>No checkpoint of the training can be written. {reason}</source>
        <translation>Vom Training kann kein Zwischenstand geschrieben werden. {reason}</translation>
    </message>
    <message>
        <source>No checkpoint of the training can be written: {reason}.</source>
        <translation>Vom Training lässt sich kein Zwischenstand schreiben: {reason}.</translation>
    </message>
    <message>
        <source>Make room or give access there.</source>
        <translation>Dort Platz schaffen oder Zugriff erlauben.</translation>
    </message>
    <message>
        <source>a batch size of {smaller} instead of {size}</source>
        <translation>einer Batchgröße von {smaller} statt {size}</translation>
    </message>
    <message>
        <source>a block size of {smaller} instead of {size}</source>
        <translation>einer Blockgröße von {smaller} statt {size}</translation>
    </message>
    <message>
        <source>a smaller backbone</source>
        <translation>einem kleineren Backbone</translation>
    </message>
    <message>
        <source>There was not enough memory for the training.</source>
        <translation>Der Speicher hat für das Training nicht gereicht.</translation>
    </message>
    <message>
        <source>Close what else needs memory, or train with {smaller}.</source>
        <translation>Schließen, was sonst noch Speicher braucht, oder mit {smaller} trainieren.</translation>
    </message>
    <message>
        <source>{one} or {other}</source>
        <translation>{one} oder {other}</translation>
    </message>
    <message>
        <source>there is no text to train or measure on</source>
        <translation>es gibt keinen Text zum Trainieren oder Messen</translation>
    </message>
    <message>
        <source>{what} came to no number (NaN) in step {step:,} of {steps:,}. The training goes on from the step before at half the learning rate.</source>
        <translation>{what} kam in Schritt {step:,} von {steps:,} auf keine Zahl (NaN). Das Training geht beim Schritt davor mit halber Lernrate weiter.</translation>
    </message>
    <message>
        <source>There was not enough memory for as much of a batch at once; it is learned in smaller parts now.</source>
        <translation>Der Speicher hat für so viel eines Batches auf einmal nicht gereicht; gelernt wird jetzt in kleineren Teilen.</translation>
    </message>
    <message>
        <source>It learns the same, but for the last digits, and takes longer. Close what else needs memory.</source>
        <translation>Das Ergebnis ist bis auf die letzten Stellen dasselbe, es dauert nur länger. Schließen, was sonst noch Speicher braucht.</translation>
    </message>
    <message>
        <source>The backbone&apos;s loss on the held-out text is no number (NaN).</source>
        <translation>Der Verlust des Backbones am Prüftext ist keine Zahl (NaN).</translation>
    </message>
    <message>
        <source>Choose another backbone, or other text.</source>
        <translation>Ein anderes Backbone oder anderen Text wählen.</translation>
    </message>
    <message>
        <source>The loss on held-out text</source>
        <translation>Der Verlust am Prüftext</translation>
    </message>
    <message>
        <source>The adapter</source>
        <translation>Der Adapter</translation>
    </message>
    <message>
        <source>The Time Mixer</source>
        <translation>Der Time Mixer</translation>
    </message>
    <message>
        <source>{what} came to no number (NaN) in step {step:,} of {steps:,}, so the training stopped there.</source>
        <translation>{what} kam in Schritt {step:,} von {steps:,} auf keine Zahl (NaN); das Training hat dort aufgehört.</translation>
    </message>
    <message>
        <source>Train anew with a lower {setting}: {lower:.1g} instead of {rate:g}.</source>
        <translation>Mit kleinerer {setting} neu trainieren: {lower:.1g} statt {rate:g}.</translation>
    </message>
    <message>
        <source>the epochs before it have changed since its training was interrupted</source>
        <translation>die Epochen davor haben sich geändert, seit das Training unterbrochen wurde</translation>
    </message>
    <message>
        <source>its best step is of another shape</source>
        <translation>sein bester Schritt hat eine andere Form</translation>
    </message>
    <message>
        <source>Measuring on held-out text</source>
        <translation>Am Prüftext wird gemessen</translation>
    </message>
    <message>
        <source>Measuring the routing</source>
        <translation>Die Zuordnung wird gemessen</translation>
    </message>
    <message>
        <source>Measuring at borders of domains</source>
        <translation>An Domänengrenzen wird gemessen</translation>
    </message>
    <message>
        <source>borders</source>
        <translation>Grenzen</translation>
    </message>
    <message>
        <source>What was held out is not known: the epoch is of an earlier version and left no text.</source>
        <translation>Der Prüftext ist nicht bekannt: Die Epoche stammt aus einer früheren Version und hat keinen Text hinterlassen.</translation>
    </message>
    <message>
        <source>Train it again to measure it.</source>
        <translation>Zum Messen neu trainieren.</translation>
    </message>
    <message>
        <source>The epoch&apos;s held-out text is no longer there.</source>
        <translation>Der Prüftext der Epoche ist nicht mehr da.</translation>
    </message>
    <message>
        <source>Put the corpus back as it was.</source>
        <translation>Den Text wieder so hinlegen, wie er war.</translation>
    </message>
    <message>
        <source>the temporary file is cut short</source>
        <translation>die temporäre Datei ist abgeschnitten</translation>
    </message>
    <message>
        <source>{note}; it cannot go on, the epochs before it have changed</source>
        <translation>{note}; lässt sich nicht fortsetzen, die Epochen davor haben sich geändert</translation>
    </message>
    <message>
        <source>{problem} No other can be read, so {names} have hardly any weight.</source>
        <translation>{problem} Kein anderer ist lesbar, darum haben {names} kaum Gewicht.</translation>
    </message>
    <message>
        <source>{problem} An earlier one is used, which does not know {names}.</source>
        <translation>{problem} Ein früherer wird benutzt, der {names} nicht kennt.</translation>
    </message>
    <message>
        <source>{problem} An earlier one is used, which knows all epochs.</source>
        <translation>{problem} Ein früherer wird benutzt, der alle Epochen kennt.</translation>
    </message>
    <message>
        <source>Epochs leave these as they are: {names}.</source>
        <translation>Das lassen Epochen, wie es ist: {names}.</translation>
    </message>
    <message>
        <source>There is no epoch to mix.</source>
        <translation>Es gibt keine Epoche zum Mischen.</translation>
    </message>
    <message>
        <source>Train an epoch first, or choose another mode.</source>
        <translation>Zuerst eine Epoche trainieren oder einen anderen Modus wählen.</translation>
    </message>
    <message>
        <source>That mixer is not stored in this project.</source>
        <translation>Dieser Mixer ist in diesem Projekt nicht gespeichert.</translation>
    </message>
    <message>
        <source>That epoch is not in the mixture.</source>
        <translation>Diese Epoche ist nicht in der Mischung.</translation>
    </message>
    <message>
        <source>Choose another mode: {names}.</source>
        <translation>Einen anderen Modus wählen: {names}.</translation>
    </message>
    <message>
        <source>Reading held-out text</source>
        <translation>Der Prüftext wird gelesen</translation>
    </message>
    <message>
        <source>epochs</source>
        <translation>Epochen</translation>
    </message>
    <message>
        <source>No epoch has text to measure on.</source>
        <translation>Keine Epoche hat Text, an dem gemessen werden kann.</translation>
    </message>
    <message>
        <source>Import an adapter with text of its kind.</source>
        <translation>Einen Adapter mit Text seiner Art importieren.</translation>
    </message>
    <message>
        <source>the weights in {folder} are damaged: {error}</source>
        <translation>die Gewichte in {folder} sind beschädigt: {error}</translation>
    </message>
    <message>
        <source>the weights in {folder} do not fit this backbone: {layer} has others</source>
        <translation>die Gewichte in {folder} passen nicht zu diesem Backbone: {layer} hat andere</translation>
    </message>
    <message>
        <source>the weights in {folder} are damaged: {layer} holds what is no finite number</source>
        <translation>die Gewichte in {folder} sind beschädigt: {layer} enthält, was keine endliche Zahl ist</translation>
    </message>
    <message>
        <source>the weights in {folder} do not fit this backbone: it has no {layer}</source>
        <translation>die Gewichte in {folder} passen nicht zu diesem Backbone: Es hat kein {layer}</translation>
    </message>
    <message>
        <source>there is no readable {file} in {folder}: {reason}</source>
        <translation>in {folder} ist keine lesbare {file}: {reason}</translation>
    </message>
    <message>
        <source>the {file} in {folder} is damaged: {error}</source>
        <translation>{file} in {folder} ist beschädigt: {error}</translation>
    </message>
    <message>
        <source>the adapter in {folder} is no LoRA adapter</source>
        <translation>der Adapter in {folder} ist kein LoRA-Adapter</translation>
    </message>
    <message>
        <source>the adapter in {folder} is not of this model&apos;s kind; it differs in {names}</source>
        <translation>der Adapter in {folder} passt nicht zur Art dieses Modells; er unterscheidet sich in {names}</translation>
    </message>
    <message>
        <source>{model} has no list of {depth} decoder blocks; it cannot carry a Time Mixer</source>
        <translation>{model} hat keine Liste von {depth} Decoder-Blöcken und kann keinen Time Mixer tragen</translation>
    </message>
    <message>
        <source>{model} takes no cache</source>
        <translation>{model} nimmt keinen Cache</translation>
    </message>
    <message>
        <source>{model} keeps no cache</source>
        <translation>{model} behält keinen Cache</translation>
    </message>
    <message>
        <source>{model} keeps a cache that is not made of layers</source>
        <translation>{model} hat einen Cache, der nicht aus Schichten besteht</translation>
    </message>
    <message>
        <source>the weights hold NaN or infinite numbers, in {name}</source>
        <translation>die Gewichte enthalten NaN oder unendliche Zahlen, in {name}</translation>
    </message>
    <message>
        <source>it cannot read a text with an epoch: {reason}</source>
        <translation>es kann einen Text nicht mit einer Epoche lesen: {reason}</translation>
    </message>
    <message>
        <source>its logits are not finite</source>
        <translation>seine Logits sind nicht endlich</translation>
    </message>
    <message>
        <source>it is not a causal language model, so it cannot write text token by token</source>
        <translation>es ist kein kausales Sprachmodell und kann deshalb nicht Token für Token schreiben</translation>
    </message>
    <message>
        <source>it cannot go on with a text: {reason}</source>
        <translation>es kann einen Text nicht fortsetzen: {reason}</translation>
    </message>
    <message>
        <source>it reads a text in a batch otherwise than alone</source>
        <translation>es liest einen Text in einem Batch anders als allein</translation>
    </message>
    <message>
        <source>it goes on with a text otherwise than it reads it at once</source>
        <translation>es setzt einen Text anders fort, als es ihn am Stück liest</translation>
    </message>
    <message>
        <source>an epoch cannot learn with it: {reason}</source>
        <translation>eine Epoche kann damit nicht lernen: {reason}</translation>
    </message>
    <message>
        <source>its upper blocks need more than what the lower ones give</source>
        <translation>seine oberen Blöcke brauchen mehr, als die unteren geben</translation>
    </message>
    <message>
        <source>an epoch cannot learn with it: no gradient reaches its adapter</source>
        <translation>eine Epoche kann damit nicht lernen: kein Gradient erreicht ihren Adapter</translation>
    </message>
    <message>
        <source>Choose smaller blocks or a smaller batch.</source>
        <translation>Kleinere Blöcke oder eine kleinere Batchgröße wählen.</translation>
    </message>
    <message>
        <source>Nothing finished was lost; mend that and try again.</source>
        <translation>Nichts Fertiges ist verloren; das beheben und noch einmal versuchen.</translation>
    </message>
    <message>
        <source>{reason}.</source>
        <translation>{reason}.</translation>
    </message>
    <message>
        <source>Something went wrong: {what}</source>
        <translation>Etwas ist schiefgegangen: {what}</translation>
    </message>
    <message>
        <source>Details can be copied.</source>
        <translation>Einzelheiten lassen sich kopieren.</translation>
    </message>
    <message>
        <source>The engine could not start: {error}</source>
        <translation>Die Engine ließ sich nicht starten: {error}</translation>
    </message>
    <message>
        <source>Reinstall tlora-gui with its dependencies.</source>
        <translation>tlora-gui mit seinen Abhängigkeiten neu installieren.</translation>
    </message>
    <message>
        <source>{name} must be a whole number from {low} to {high}</source>
        <translation>{name} muss eine ganze Zahl von {low} bis {high} sein</translation>
    </message>
    <message>
        <source>{name} must be a finite number</source>
        <translation>{name} muss eine endliche Zahl sein</translation>
    </message>
    <message>
        <source>{name} must be above {bound}</source>
        <translation>{name} muss über {bound} liegen</translation>
    </message>
    <message>
        <source>{name} must be at least {bound}</source>
        <translation>{name} muss mindestens {bound} sein</translation>
    </message>
    <message>
        <source>unknown mixer strategy {name}; known: {all}</source>
        <translation>unbekannte Mixer-Strategie {name}; bekannt: {all}</translation>
    </message>
    <message>
        <source>unknown switching {name}; known: {all}</source>
        <translation>unbekanntes Umschalten {name}; bekannt: {all}</translation>
    </message>
    <message>
        <source>{name} must be below {bound}</source>
        <translation>{name} muss unter {bound} liegen</translation>
    </message>
    <message>
        <source>unknown memory source {name}; known: {all}</source>
        <translation>unbekannte Quelle der Erinnerungen {name}; bekannt: {all}</translation>
    </message>
    <message>
        <source>{name} must be at most {bound}</source>
        <translation>{name} darf höchstens {bound} sein</translation>
    </message>
    <message>
        <source>{name} must be True or False</source>
        <translation>{name} muss True oder False sein</translation>
    </message>
    <message>
        <source>encrypted with a password</source>
        <translation>mit einem Passwort verschlüsselt</translation>
    </message>
    <message>
        <source>a link, or no regular file</source>
        <translation>eine Verknüpfung oder keine gewöhnliche Datei</translation>
    </message>
    <message>
        <source>an archive too deep in others</source>
        <translation>ein Archiv, zu tief in anderen</translation>
    </message>
    <message>
        <source>unpacks to more than {ratio} times its size</source>
        <translation>wird entpackt mehr als {ratio}-mal so groß</translation>
    </message>
    <message>
        <source>{count:,} mails cannot be read</source>
        <translation>{count:,} Mails sind nicht lesbar</translation>
    </message>
    <message>
        <source>damaged: a mark in it never ends</source>
        <translation>beschädigt: ein Tag darin endet nie</translation>
    </message>
    <message>
        <source>damaged: {part} is missing</source>
        <translation>beschädigt: {part} fehlt</translation>
    </message>
    <message>
        <source>damaged: its XML defines entities</source>
        <translation>beschädigt: sein XML legt Entitäten fest</translation>
    </message>
    <message>
        <source>encrypted against copying</source>
        <translation>mit Kopierschutz verschlüsselt</translation>
    </message>
    <message>
        <source>damaged: {count:,} of {pages:,} pages cannot be read</source>
        <translation>beschädigt: {count:,} von {pages:,} Seiten sind nicht lesbar</translation>
    </message>
    <message>
        <source>holds no text; it may be scanned</source>
        <translation>enthält keinen Text; vielleicht gescannt</translation>
    </message>
    <message>
        <source>{count:,} rows cannot be read or have no text</source>
        <translation>{count:,} Zeilen sind nicht lesbar oder ohne Text</translation>
    </message>
    <message>
        <source>has no column {name}; it has {known}</source>
        <translation>hat keine Spalte {name}, sondern {known}</translation>
    </message>
    <message>
        <source>has no column of text</source>
        <translation>hat keine Textspalte</translation>
    </message>
    <message>
        <source>its column {name} is read</source>
        <translation>gelesen wird die Spalte {name}</translation>
    </message>
    <message>
        <source>a quotation mark in line {line:,} is never closed: what follows is one cell</source>
        <translation>ein Anführungszeichen in Zeile {line:,} wird nie geschlossen: Was folgt, ist eine Zelle</translation>
    </message>
    <message>
        <source>a damaged notebook</source>
        <translation>ein beschädigtes Notebook</translation>
    </message>
    <message>
        <source>Nobody else has {name} open.</source>
        <translation>Niemand sonst hat {name} geöffnet.</translation>
    </message>
    <message>
        <source>Open it here.</source>
        <translation>Das Projekt hier öffnen.</translation>
    </message>
    <message>
        <source>Following {name}</source>
        <translation>{name} wird mitverfolgt</translation>
    </message>
    <message>
        <source>The other runs are whole; delete this one from the list.</source>
        <translation>Die anderen Läufe sind heil; diesen aus der Liste löschen.</translation>
    </message>
    <message>
        <source>This run is in training.</source>
        <translation>Dieser Lauf ist im Training.</translation>
    </message>
    <message>
        <source>{path} cannot be deleted: {reason}.</source>
        <translation>{path} lässt sich nicht löschen: {reason}.</translation>
    </message>
    <message>
        <source>This run is not in the trash.</source>
        <translation>Dieser Lauf ist nicht im Papierkorb.</translation>
    </message>
    <message>
        <source>{path} cannot be restored: {reason}.</source>
        <translation>{path} lässt sich nicht wiederherstellen: {reason}.</translation>
    </message>
    <message>
        <source>Give access there, and try again.</source>
        <translation>Dort Zugriff geben und noch einmal versuchen.</translation>
    </message>
    <message>
        <source>This run is no longer in the history.</source>
        <translation>Dieser Lauf ist nicht mehr im Verlauf.</translation>
    </message>
    <message>
        <source>Trying some steps</source>
        <translation>Einige Schritte werden ausprobiert</translation>
    </message>
    <message>
        <source>The processes of this training do not begin with the same text and weights.</source>
        <translation>Die Prozesse dieses Trainings beginnen nicht mit demselben Text und denselben Gewichten.</translation>
    </message>
    <message>
        <source>Give all of them the same files and the same versions.</source>
        <translation>Allen dieselben Dateien und dieselben Versionen geben.</translation>
    </message>
    <message>
        <source>Another process of this training failed.</source>
        <translation>Ein anderer Prozess dieses Trainings ist gescheitert.</translation>
    </message>
    <message>
        <source>See what it said; a training that was begun is kept and can go on from its last checkpoint.</source>
        <translation>Nachsehen, was er gemeldet hat; ein begonnenes Training bleibt und kann ab dem letzten Zwischenstand weitergehen.</translation>
    </message>
    <message>
        <source>Another process of this training has ended or does not answer.</source>
        <translation>Ein anderer Prozess dieses Trainings ist beendet oder antwortet nicht.</translation>
    </message>
    <message>
        <source>Several processes were started, and Accelerate, which joins them, is not installed.</source>
        <translation>Mehrere Prozesse sind gestartet, und Accelerate, das sie verbindet, ist nicht installiert.</translation>
    </message>
    <message>
        <source>Bring it with `pip install &apos;tlora-gui[distributed]&apos;`.</source>
        <translation>Mit `pip install &apos;tlora-gui[distributed]&apos;` nachinstallieren.</translation>
    </message>
    <message>
        <source>None</source>
        <translation>Keine</translation>
    </message>
    <message>
        <source>Light</source>
        <translation>Leicht</translation>
    </message>
    <message>
        <source>Medium</source>
        <translation>Mittel</translation>
    </message>
    <message>
        <source>Strong</source>
        <translation>Stark</translation>
    </message>
    <message>
        <source>Smoothing</source>
        <translation>Glättung</translation>
    </message>
    <message>
        <source>Curve</source>
        <translation>Kurve</translation>
    </message>
    <message>
        <source>Train an epoch to see its curves</source>
        <translation>Eine Epoche trainieren, um ihre Kurven zu sehen</translation>
    </message>
    <message>
        <source>Adapter loss</source>
        <translation>Adapterverlust</translation>
    </message>
    <message>
        <source>nats/token, by step</source>
        <translation>Nats/Token, je Schritt</translation>
    </message>
    <message>
        <source>From the second epoch on: how far the Time Mixer drifts from its teacher</source>
        <translation>Ab der zweiten Epoche: wie weit sich der Time Mixer von seinem Lehrer entfernt</translation>
    </message>
    <message>
        <source>Mixer-distill loss</source>
        <translation>Destillationsverlust</translation>
    </message>
    <message>
        <source>How large the adapter&apos;s steps are: they warm up, then fall</source>
        <translation>Wie groß die Schritte des Adapters sind: erst Aufwärmen, dann fallend</translation>
    </message>
    <message>
        <source>Learning rate</source>
        <translation>Lernrate</translation>
    </message>
    <message>
        <source>of the adapter, by step</source>
        <translation>des Adapters, je Schritt</translation>
    </message>
    <message>
        <source>How steep the adapter&apos;s loss is; recorded from this version on</source>
        <translation>Wie steil der Verlust des Adapters ist; aufgezeichnet ab dieser Version</translation>
    </message>
    <message>
        <source>Gradient norm</source>
        <translation>Gradientennorm</translation>
    </message>
    <message>
        <source>before clipping to 1</source>
        <translation>vor dem Kappen auf 1</translation>
    </message>
    <message>
        <source>At least {low}.</source>
        <translation>Mindestens {low}.</translation>
    </message>
    <message>
        <source>{low} to {high}.</source>
        <translation>{low} bis {high}.</translation>
    </message>
    <message>
        <source>in training</source>
        <translation>im Training</translation>
    </message>
    <message>
        <source>finished</source>
        <translation>fertig</translation>
    </message>
    <message>
        <source>stopped early</source>
        <translation>früh gestoppt</translation>
    </message>
    <message>
        <source>interrupted</source>
        <translation>unterbrochen</translation>
    </message>
    <message>
        <source>failed</source>
        <translation>gescheitert</translation>
    </message>
    <message>
        <source>discarded</source>
        <translation>verworfen</translation>
    </message>
    <message>
        <source>unreadable</source>
        <translation>nicht lesbar</translation>
    </message>
    <message>
        <source>Reason</source>
        <translation>Grund</translation>
    </message>
    <message>
        <source>Text</source>
        <translation>Text</translation>
    </message>
    <message>
        <source>Fingerprint of the text</source>
        <translation>Fingerabdruck des Texts</translation>
    </message>
    <message>
        <source>Backbone</source>
        <translation>Backbone</translation>
    </message>
    <message>
        <source>Remark</source>
        <translation>Anmerkung</translation>
    </message>
    <message>
        <source>Processor</source>
        <translation>Prozessor</translation>
    </message>
    <message>
        <source>Cores</source>
        <translation>Kerne</translation>
    </message>
    <message>
        <source>Threads</source>
        <translation>Threads</translation>
    </message>
    <message>
        <source>Device</source>
        <translation>Gerät</translation>
    </message>
    <message>
        <source>yes</source>
        <translation>ja</translation>
    </message>
    <message>
        <source>no</source>
        <translation>nein</translation>
    </message>
    <message>
        <source>all</source>
        <translation>alle</translation>
    </message>
    <message>
        <source>isolated</source>
        <translation>getrennt</translation>
    </message>
    <message>
        <source>joint</source>
        <translation>gemeinsam</translation>
    </message>
    <message>
        <source>features of the text</source>
        <translation>Merkmale des Texts</translation>
    </message>
    <message>
        <source>features without text</source>
        <translation>Merkmale ohne Text</translation>
    </message>
    <message>
        <source>dreams of the epoch (text-free)</source>
        <translation>Träume der Epoche (ohne Text)</translation>
    </message>
    <message>
        <source>Passes</source>
        <translation>Durchgänge</translation>
    </message>
    <message>
        <source>Tokens per pass</source>
        <translation>Tokens je Durchgang</translation>
    </message>
    <message>
        <source>Learning rate of the mixer</source>
        <translation>Lernrate des Mixers</translation>
    </message>
    <message>
        <source>Batch size</source>
        <translation>Batchgröße</translation>
    </message>
    <message>
        <source>Block size</source>
        <translation>Blockgröße</translation>
    </message>
    <message>
        <source>Held-out share</source>
        <translation>Prüftextanteil</translation>
    </message>
    <message>
        <source>Held-out tokens measured</source>
        <translation>Gemessene Prüftext-Tokens</translation>
    </message>
    <message>
        <source>Steps between measurements</source>
        <translation>Schritte zwischen Messungen</translation>
    </message>
    <message>
        <source>Objective</source>
        <translation>Lernziel</translation>
    </message>
    <message>
        <source>Compared without Active Sleep</source>
        <translation>Vergleich ohne Active Sleep</translation>
    </message>
    <message>
        <source>Seed</source>
        <translation>Seed</translation>
    </message>
    <message>
        <source>Early stop</source>
        <translation>Früh stoppen</translation>
    </message>
    <message>
        <source>Patience</source>
        <translation>Geduld</translation>
    </message>
    <message>
        <source>Prompt of the samples</source>
        <translation>Prompt der Proben</translation>
    </message>
    <message>
        <source>Steps between samples</source>
        <translation>Schritte zwischen Proben</translation>
    </message>
    <message>
        <source>Tokens of a sample</source>
        <translation>Tokens einer Probe</translation>
    </message>
    <message>
        <source>Active Sleep</source>
        <translation>Active Sleep</translation>
    </message>
    <message>
        <source>Kept for later sleep</source>
        <translation>Bleibt für späteren Schlaf</translation>
    </message>
    <message>
        <source>Memories know their epoch</source>
        <translation>Erinnerungen kennen ihre Epoche</translation>
    </message>
    <message>
        <source>Weight of the distill loss</source>
        <translation>Gewicht des Destillationsverlusts</translation>
    </message>
    <message>
        <source>Temperature of the distillation</source>
        <translation>Temperatur der Destillation</translation>
    </message>
    <message>
        <source>Weight of the routing loss</source>
        <translation>Gewicht des Routing-Verlusts</translation>
    </message>
    <message>
        <source>Memory tokens</source>
        <translation>Erinnerungs-Tokens</translation>
    </message>
    <message>
        <source>Memory tokens per block</source>
        <translation>Erinnerungs-Tokens je Block</translation>
    </message>
    <message>
        <source>Only numbers from {least} to {most}</source>
        <translation>Nur Zahlen von {least} bis {most}</translation>
    </message>
    <message>
        <source>gating</source>
        <translation>Gating</translation>
    </message>
    <message>
        <source>routing</source>
        <translation>Routing</translation>
    </message>
    <message>
        <source>attention</source>
        <translation>Attention</translation>
    </message>
    <message>
        <source>Looking at the adapter</source>
        <translation>Der Adapter wird angesehen</translation>
    </message>
    <message>
        <source>{name} says that it was trained on {base}, not on {other}.</source>
        <translation>{name} wurde nach eigener Angabe auf {base} trainiert, nicht auf {other}.</translation>
    </message>
    <message>
        <source>If these are two models, delete the epoch again: its text will make no sense.</source>
        <translation>Sind das zwei Modelle, die Epoche wieder löschen: Was sie schreibt, ergäbe keinen Sinn.</translation>
    </message>
    <message>
        <source>{name} makes nothing of its text: a loss of {loss:.3g}.</source>
        <translation>{name} macht aus seinem Text nichts: ein Verlust von {loss:.3g}.</translation>
    </message>
    <message>
        <source>Its numbers are damaged, or far too large; choose a whole copy of it.</source>
        <translation>Seine Zahlen sind beschädigt oder viel zu groß; eine heile Kopie wählen.</translation>
    </message>
    <message>
        <source>imported; its slot was learned from text</source>
        <translation>importiert; sein Slot wurde an Text gelernt</translation>
    </message>
    <message>
        <source>imported; its slot was learned from its own dreams</source>
        <translation>importiert; sein Slot wurde an eigenen Träumen gelernt</translation>
    </message>
    <message>
        <source>{name} could not be stored: {error}.</source>
        <translation>{name} konnte nicht gespeichert werden: {error}.</translation>
    </message>
    <message>
        <source>Mend that, then import it again.</source>
        <translation>Das beheben, dann neu importieren.</translation>
    </message>
    <message>
        <source>Choose an adapter that changes blocks from {layer} up alone.</source>
        <translation>Einen Adapter wählen, der nur Blöcke ab {layer} ändert.</translation>
    </message>
    <message>
        <source>Adapters of a {family} backbone cannot be written as GGUF.</source>
        <translation>Adapter eines {family}-Backbones lassen sich nicht als GGUF schreiben.</translation>
    </message>
    <message>
        <source>Export a PEFT adapter. GGUF is known of: {names}.</source>
        <translation>Einen PEFT-Adapter exportieren. GGUF ist bekannt für: {names}.</translation>
    </message>
    <message>
        <source>llama.cpp has no name for {layer}.</source>
        <translation>llama.cpp hat keinen Namen für {layer}.</translation>
    </message>
    <message>
        <source>Export a PEFT adapter.</source>
        <translation>Einen PEFT-Adapter exportieren.</translation>
    </message>
    <message>
        <source>Choose an adapter&apos;s folder or .zip, or give its id on the Hub (owner/name).</source>
        <translation>Den Ordner oder die .zip eines Adapters wählen, oder seine Kennung im Hub angeben (Besitzer/Name).</translation>
    </message>
    <message>
        <source>No adapter is named.</source>
        <translation>Es ist kein Adapter genannt.</translation>
    </message>
    <message>
        <source>{name} is no adapter.</source>
        <translation>{name} ist kein Adapter.</translation>
    </message>
    <message>
        <source>Choose the folder with its {file}, or a .zip of that.</source>
        <translation>Den Ordner mit der {file} wählen, oder eine .zip davon.</translation>
    </message>
    <message>
        <source>Check the spelling and the network, or choose a folder or a .zip.</source>
        <translation>Schreibweise und Netz prüfen, oder einen Ordner oder eine .zip wählen.</translation>
    </message>
    <message>
        <source>There are several adapters in {name}.</source>
        <translation>In {name} sind mehrere Adapter.</translation>
    </message>
    <message>
        <source>There is no adapter in {name}.</source>
        <translation>In {name} ist kein Adapter.</translation>
    </message>
    <message>
        <source>Choose a .zip with one {file} in it.</source>
        <translation>Eine .zip mit einer {file} darin wählen.</translation>
    </message>
    <message>
        <source>{name} cannot be unpacked: {error}.</source>
        <translation>{name} lässt sich nicht entpacken: {error}.</translation>
    </message>
    <message>
        <source>Unpack it yourself, and choose the folder.</source>
        <translation>Von Hand entpacken und den Ordner wählen.</translation>
    </message>
    <message>
        <source>{file} in {name} has {size:,} MB, more than an adapter of this backbone can have.</source>
        <translation>{file} in {name} hat {size:,} MB, mehr als ein Adapter dieses Backbones haben kann.</translation>
    </message>
    <message>
        <source>Choose an adapter of this backbone.</source>
        <translation>Einen Adapter dieses Backbones wählen.</translation>
    </message>
    <message>
        <source>There is no room to unpack {name}.</source>
        <translation>Es ist kein Platz, um {name} zu entpacken.</translation>
    </message>
    <message>
        <source>Free {size:,} MB in {folder}.</source>
        <translation>{size:,} MB in {folder} freimachen.</translation>
    </message>
    <message>
        <source>Unpacking</source>
        <translation>Entpacken</translation>
    </message>
    <message>
        <source>Train it again without that, as plain LoRA.</source>
        <translation>Ohne das neu trainieren, als gewöhnliches LoRA.</translation>
    </message>
    <message>
        <source>it is DoRA, whose update depends on the backbone&apos;s weights</source>
        <translation>er ist DoRA, dessen Änderung von den Gewichten des Backbones abhängt</translation>
    </message>
    <message>
        <source>it has biases</source>
        <translation>er hat Biases</translation>
    </message>
    <message>
        <source>it has whole modules of its own</source>
        <translation>er hat ganze eigene Module</translation>
    </message>
    <message>
        <source>it changes the vocabulary</source>
        <translation>er ändert das Vokabular</translation>
    </message>
    <message>
        <source>There is not enough memory for {name}: it takes {size:,} MB.</source>
        <translation>Für {name} reicht der Arbeitsspeicher nicht: {size:,} MB sind nötig.</translation>
    </message>
    <message>
        <source>Close what else needs memory, or choose an adapter of a lower rank.</source>
        <translation>Schließen, was sonst Speicher braucht, oder einen Adapter von kleinerem Rang wählen.</translation>
    </message>
    <message>
        <source>{layer} holds what is no finite number</source>
        <translation>{layer} enthält, was keine endliche Zahl ist</translation>
    </message>
    <message>
        <source>The weights of {name} are a pickle (.bin), which could run anything.</source>
        <translation>Die Gewichte von {name} sind ein Pickle (.bin), der beliebigen Code ausführen könnte.</translation>
    </message>
    <message>
        <source>There is no {file} in {name}.</source>
        <translation>In {name} ist keine {file}.</translation>
    </message>
    <message>
        <source>Save it as safetensors: that is what PEFT does by default.</source>
        <translation>Als safetensors speichern: Das tut PEFT von sich aus.</translation>
    </message>
    <message>
        <source>Choose the folder that the adapter was saved to.</source>
        <translation>Den Ordner wählen, in den der Adapter gespeichert wurde.</translation>
    </message>
    <message>
        <source>its header is too long</source>
        <translation>der Kopf ist zu lang</translation>
    </message>
    <message>
        <source>it is no object</source>
        <translation>sie ist kein Objekt</translation>
    </message>
    <message>
        <source>The {file} of {name} is damaged: {error}.</source>
        <translation>Die {file} von {name} ist beschädigt: {error}.</translation>
    </message>
    <message>
        <source>Choose a whole copy of it.</source>
        <translation>Eine vollständige Kopie davon wählen.</translation>
    </message>
    <message>
        <source>{name} is an adapter of the kind {kind}.</source>
        <translation>{name} ist ein Adapter der Art {kind}.</translation>
    </message>
    <message>
        <source>Choose a LoRA adapter.</source>
        <translation>Einen LoRA-Adapter wählen.</translation>
    </message>
    <message>
        <source>{name} cannot become an epoch: begun as {kind}, it changes the backbone&apos;s own weights.</source>
        <translation>{name} kann keine Epoche werden: als {kind} begonnen, ändert er die Gewichte des Backbones selbst.</translation>
    </message>
    <message>
        <source>Save it as plain LoRA, with PEFT&apos;s path_initial_model_for_weight_conversion.</source>
        <translation>Als gewöhnliches LoRA speichern, mit PEFTs path_initial_model_for_weight_conversion.</translation>
    </message>
    <message>
        <source>it asks for {names}, which an epoch does not have</source>
        <translation>er verlangt {names}, was eine Epoche nicht hat</translation>
    </message>
    <message>
        <source>it holds no weights</source>
        <translation>er enthält keine Gewichte</translation>
    </message>
    <message>
        <source>{layer} is not whole</source>
        <translation>{layer} ist unvollständig</translation>
    </message>
    <message>
        <source>its {layer} has other sizes</source>
        <translation>{layer} hat dort andere Maße</translation>
    </message>
    <message>
        <source>{layer} has another rank than its {file} says</source>
        <translation>{layer} hat einen anderen Rang, als die {file} sagt</translation>
    </message>
    <message>
        <source>{name} has a rank of {r:,} in {layer}.</source>
        <translation>{name} hat in {layer} den Rang {r:,}.</translation>
    </message>
    <message>
        <source>An epoch&apos;s rank is 1 to {most:,}: make it smaller first.</source>
        <translation>Der Rang einer Epoche ist 1 bis {most:,}: erst verkleinern.</translation>
    </message>
    <message>
        <source>its lora_alpha scales updates by {factor:.3g}</source>
        <translation>sein lora_alpha vervielfacht Änderungen mit {factor:.3g}</translation>
    </message>
    <message>
        <source>{layer} holds numbers of another type</source>
        <translation>{layer} enthält Zahlen eines anderen Typs</translation>
    </message>
    <message>
        <source>Let the Time Mixer read the bare backbone (bare router), for about {share} % more work per token, or import it into a project whose Time Mixer reads before block {first} (mixer layer).</source>
        <translation>Den Time Mixer das bloße Backbone lesen lassen (bare router), für etwa {share} % mehr Arbeit je Token, oder in ein Projekt importieren, dessen Time Mixer vor Block {first} liest (mixer layer).</translation>
    </message>
    <message>
        <source>{name} cannot become an epoch: {reason}.</source>
        <translation>{name} kann keine Epoche werden: {reason}.</translation>
    </message>
    <message>
        <source>The weights of {name} are damaged: {reason}.</source>
        <translation>Die Gewichte von {name} sind beschädigt: {reason}.</translation>
    </message>
    <message>
        <source>{name} was made for another model: {reason}.</source>
        <translation>{name} wurde für ein anderes Modell gemacht: {reason}.</translation>
    </message>
    <message>
        <source>Choose an adapter of this backbone, or make a project with that model.</source>
        <translation>Einen Adapter dieses Backbones wählen, oder ein Projekt mit jenem Modell anlegen.</translation>
    </message>
    <message>
        <source>{layer} is no name that PEFT gives</source>
        <translation>{layer} ist kein Name, den PEFT vergibt</translation>
    </message>
    <message>
        <source>this backbone has no {layer}</source>
        <translation>dieses Backbone hat kein {layer}</translation>
    </message>
    <message>
        <source>it adapts {layer}, which epochs leave as it is</source>
        <translation>er ändert {layer}, was Epochen lassen, wie es ist</translation>
    </message>
    <message>
        <source>{name} changes blocks from {first} up, and the Time Mixer of this project reads what comes out of the blocks below {layer}: what it reads would move under it.</source>
        <translation>{name} ändert Blöcke ab {first}, und der Time Mixer dieses Projekts liest, was aus den Blöcken unter {layer} kommt: Was er liest, würde sich unter ihm verschieben.</translation>
    </message>
    <message>
        <source>{name} chooses layers by the pattern {pattern}.</source>
        <translation>{name} wählt Schichten nach dem Muster {pattern}.</translation>
    </message>
    <message>
        <source>Write their names into its {file} instead.</source>
        <translation>Stattdessen ihre Namen in die {file} schreiben.</translation>
    </message>
    <message>
        <source>Compressing</source>
        <translation>Wird verkleinert</translation>
    </message>
    <message>
        <source>layers</source>
        <translation>Schichten</translation>
    </message>
    <message>
        <source>Reading what the Time Mixer is to know it by</source>
        <translation>Gelesen wird, woran der Time Mixer ihn erkennen soll</translation>
    </message>
    <message>
        <source>Teaching the Time Mixer</source>
        <translation>Der Time Mixer lernt</translation>
    </message>
    <message>
        <source>The Time Mixer came to no number (NaN).</source>
        <translation>Der Time Mixer kam zu keiner Zahl (NaN).</translation>
    </message>
    <message>
        <source>Choose other text, or delete an epoch that is damaged.</source>
        <translation>Anderen Text wählen, oder eine beschädigte Epoche löschen.</translation>
    </message>
    <message>
        <source>GGUF adapter</source>
        <translation>GGUF-Adapter</translation>
    </message>
    <message>
        <source>It stays in the trash.</source>
        <translation>Es bleibt im Papierkorb.</translation>
    </message>
    <message>
        <source>{name} has no memory to learn its slot from.</source>
        <translation>{name} hat kein Gedächtnis, aus dem ihr Slot gelernt werden könnte.</translation>
    </message>
    <message>
        <source>Train it again from its text.</source>
        <translation>Sie aus ihrem Text neu trainieren.</translation>
    </message>
    <message>
        <source>{name} has its memory.</source>
        <translation>{name} hat ihr Gedächtnis.</translation>
    </message>
    <message>
        <source>The Time Mixer is whole.</source>
        <translation>Der Time Mixer ist ganz.</translation>
    </message>
    <message>
        <source>{name} is of an earlier format, and could not be changed to today&apos;s: {reason}.</source>
        <translation>{name} hat ein früheres Format und ließ sich nicht in das heutige ändern: {reason}.</translation>
    </message>
    <message>
        <source>Nothing of it is lost; give access there, and open it again.</source>
        <translation>Nichts davon ist verloren; dort Zugriff geben und es noch einmal öffnen.</translation>
    </message>
    <message>
        <source>Repair the memory</source>
        <translation>Gedächtnis reparieren</translation>
    </message>
    <message>
        <source>From its text, if that is as it was, else from its own dreams</source>
        <translation>Aus ihrem Text, wenn der noch ist, wie er war, sonst aus ihren eigenen Träumen</translation>
    </message>
    <message>
        <source>From the same text with the same settings; it takes the place of the broken one when it is finished</source>
        <translation>Aus demselben Text mit denselben Einstellungen; sie ersetzt die beschädigte, wenn sie fertig ist</translation>
    </message>
    <message>
        <source>Train again</source>
        <translation>Neu trainieren</translation>
    </message>
    <message>
        <source>{name} is in training; it is there as it was after step {step:,} of {steps:,}.</source>
        <translation>{name} wird trainiert; sie ist dort, wie sie nach Schritt {step:,} von {steps:,} war.</translation>
    </message>
    <message>
        <source>{name} is in training; it is not there yet.</source>
        <translation>{name} wird trainiert; sie ist noch nicht dabei.</translation>
    </message>
    <message>
        <source>{name} cannot be copied: {reason}.</source>
        <translation>{name} lässt sich nicht kopieren: {reason}.</translation>
    </message>
    <message>
        <source>Put the file itself there, or take it away.</source>
        <translation>Die Datei selbst dorthin legen oder sie wegnehmen.</translation>
    </message>
    <message>
        <source>Copying the project</source>
        <translation>Das Projekt wird kopiert</translation>
    </message>
    <message>
        <source>{name} is a link to a folder</source>
        <translation>{name} ist ein Link auf einen Ordner</translation>
    </message>
    <message>
        <source>Measuring fast generation</source>
        <translation>Schnelles Erzeugen wird gemessen</translation>
    </message>
    <message>
        <source>formats</source>
        <translation>Formate</translation>
    </message>
    <message>
        <source>There is too little text here: about {tokens:,} tokens, and an epoch needs at least {least:,}.</source>
        <translation>Hier ist zu wenig Text: etwa {tokens:,} Tokens, und eine Epoche braucht mindestens {least:,}.</translation>
    </message>
</context>
<context>
    <name>BackboneCard</name>
    <message>
        <source>no backbone yet</source>
        <translation>noch kein Backbone</translation>
    </message>
    <message>
        <source>It is not loaded here: its training runs elsewhere.</source>
        <translation>Es ist hier nicht geladen: Das Training läuft anderswo.</translation>
    </message>
    <message>
        <source>{name}: {parameters} parameters, {blocks} blocks, {context} tokens of context, {dtype} on {device}. Never trained. Adapters and Time Mixer start at block {mixer_layer}.</source>
        <translation>{name}: {parameters} Parameter, {blocks} Blöcke, {context} Tokens Kontext, {dtype} auf {device}. Wird nie trainiert. Adapter und Time Mixer beginnen bei Block {mixer_layer}.</translation>
    </message>
    <message>
        <source>The Time Mixer reads it without any adapter.</source>
        <translation>Der Time Mixer liest es ohne Adapter.</translation>
    </message>
</context>
<context>
    <name>BackboneChoice</name>
    <message>
        <source>Starter backbone</source>
        <translation>Starter-Backbone</translation>
    </message>
    <message>
        <source>Works without an account and without a model hub</source>
        <translation>Geht ohne Konto und ohne Modell-Hub</translation>
    </message>
    <message>
        <source>Model from the Hugging Face Hub</source>
        <translation>Modell vom Hugging Face Hub</translation>
    </message>
    <message>
        <source>Any causal language model by its id</source>
        <translation>Jedes kausale Sprachmodell, nach seiner ID</translation>
    </message>
    <message>
        <source>Local folder or .gguf file</source>
        <translation>Lokaler Ordner oder .gguf-Datei</translation>
    </message>
    <message>
        <source>A causal language model on this machine</source>
        <translation>Ein kausales Sprachmodell auf diesem Rechner</translation>
    </message>
    <message>
        <source>organisation/model, such as Qwen/Qwen2.5-0.5B</source>
        <translation>Organisation/Modell, etwa Qwen/Qwen2.5-0.5B</translation>
    </message>
    <message>
        <source>Id of the model on the Hugging Face Hub</source>
        <translation>ID des Modells auf dem Hugging Face Hub</translation>
    </message>
    <message>
        <source>The model&apos;s owner and name, as on its page: owner/name</source>
        <translation>Eigentümer und Name des Modells, wie auf seiner Seite: Eigentümer/Name</translation>
    </message>
    <message>
        <source>Folder with config.json, or a .gguf file</source>
        <translation>Ordner mit config.json oder eine .gguf-Datei</translation>
    </message>
    <message>
        <source>Path of the local model</source>
        <translation>Pfad des lokalen Modells</translation>
    </message>
    <message>
        <source>A folder saved by transformers, or one .gguf file</source>
        <translation>Ein von transformers gespeicherter Ordner oder eine .gguf-Datei</translation>
    </message>
    <message>
        <source>Folder…</source>
        <translation>Ordner…</translation>
    </message>
    <message>
        <source>Choose a model folder</source>
        <translation>Modellordner wählen</translation>
    </message>
    <message>
        <source>File…</source>
        <translation>Datei…</translation>
    </message>
    <message>
        <source>Choose a .gguf file</source>
        <translation>.gguf-Datei wählen</translation>
    </message>
    <message>
        <source>SmolLM2-135M, 93 MB, fetched once. Runs well on a laptop.</source>
        <translation>SmolLM2-135M, 93 MB, wird einmal geholt. Läuft gut auf einem Laptop.</translation>
    </message>
    <message>
        <source>Model folder</source>
        <translation>Modellordner</translation>
    </message>
    <message>
        <source>Model file</source>
        <translation>Modelldatei</translation>
    </message>
    <message>
        <source>Models (*.gguf)</source>
        <translation>Modelle (*.gguf)</translation>
    </message>
</context>
<context>
    <name>Banner</name>
    <message>
        <source>Details</source>
        <translation>Details</translation>
    </message>
    <message>
        <source>Show where in the program it happened</source>
        <translation>Zeigen, wo im Programm es geschah</translation>
    </message>
    <message>
        <source>Copy</source>
        <translation>Kopieren</translation>
    </message>
    <message>
        <source>Copy message and details to the clipboard</source>
        <translation>Meldung und Details in die Zwischenablage kopieren</translation>
    </message>
    <message>
        <source>Close this message</source>
        <translation>Diese Meldung schließen</translation>
    </message>
    <message>
        <source>Details of the error</source>
        <translation>Details des Fehlers</translation>
    </message>
    <message>
        <source>Hide details</source>
        <translation>Details ausblenden</translation>
    </message>
</context>
<context>
    <name>BlockView</name>
    <message>
        <source>The first blocks, token by token</source>
        <translation>Die ersten Blöcke, Token für Token</translation>
    </message>
    <message>
        <source>Reading the first blocks…</source>
        <translation>Die ersten Blöcke werden gelesen…</translation>
    </message>
    <message>
        <source>Every character is known to the backbone.</source>
        <translation>Das Backbone kennt jedes Zeichen.</translation>
    </message>
    <message>
        <source>Not known to the backbone: {share} of this text.</source>
        <translation>Dem Backbone unbekannt: {share} dieses Texts.</translation>
    </message>
    <message>
        <source>Tokens and their ids: {tokens}</source>
        <translation>Tokens und ihre Nummern: {tokens}</translation>
    </message>
    <message>
        <source>end of the document</source>
        <translation>Ende des Dokuments</translation>
    </message>
    <message>
        <source>{token} · id {id} · token {place} of block {block}</source>
        <translation>{token} · Nummer {id} · Token {place} von Block {block}</translation>
    </message>
    <message>
        <source>Block {number} · {count} tokens</source>
        <translation>Block {number} · {count} Tokens</translation>
    </message>
    <message>
        <source>Point at a token, or walk to it with the arrow keys.</source>
        <translation>Auf ein Token zeigen oder mit den Pfeiltasten hingehen.</translation>
    </message>
</context>
<context>
    <name>BranchBox</name>
    <message>
        <source>Most probable tokens here</source>
        <translation>Wahrscheinlichste Tokens hier</translation>
    </message>
    <message>
        <source>Most probable here</source>
        <translation>Hier am wahrscheinlichsten</translation>
    </message>
    <message>
        <source>Other word to go on with</source>
        <translation>Anderes Wort, mit dem es weitergeht</translation>
    </message>
    <message>
        <source>other word…</source>
        <translation>anderes Wort…</translation>
    </message>
    <message>
        <source>Again from here</source>
        <translation>Ab hier noch einmal</translation>
    </message>
    <message>
        <source>Enter goes on from here with this word, after a space if the token had one</source>
        <translation>Enter schreibt von hier mit diesem Wort weiter, nach einem Leerzeichen, wenn das Token eines hatte</translation>
    </message>
    <message>
        <source>Go on from here once more, with another seed</source>
        <translation>Von hier noch einmal weiterschreiben, mit einem anderen Seed</translation>
    </message>
    <message>
        <source>Click, or Enter: go on from here with “{word}” instead</source>
        <translation>Klick oder Enter: von hier stattdessen mit „{word}“ weiterschreiben</translation>
    </message>
</context>
<context>
    <name>ChartFrame</name>
    <message>
        <source>Save as picture…</source>
        <translation>Als Bild speichern…</translation>
    </message>
    <message>
        <source>Save data as table…</source>
        <translation>Daten als Tabelle speichern…</translation>
    </message>
    <message>
        <source>Options of “{title}”</source>
        <translation>Optionen von „{title}“</translation>
    </message>
    <message>
        <source>The chart could not be saved to {path}.</source>
        <translation>Das Diagramm konnte nicht nach {path} gespeichert werden.</translation>
    </message>
    <message>
        <source>Choose another folder, or free some space.</source>
        <translation>Einen anderen Ordner wählen oder Platz schaffen.</translation>
    </message>
    <message>
        <source>Save chart as picture</source>
        <translation>Diagramm als Bild speichern</translation>
    </message>
    <message>
        <source>PNG picture (*.png)</source>
        <translation>PNG-Bild (*.png)</translation>
    </message>
    <message>
        <source>Save data of the chart</source>
        <translation>Daten des Diagramms speichern</translation>
    </message>
    <message>
        <source>CSV table (*.csv)</source>
        <translation>CSV-Tabelle (*.csv)</translation>
    </message>
</context>
<context>
    <name>ChartsPanel</name>
    <message>
        <source>Routing accuracy</source>
        <translation>Routing-Genauigkeit</translation>
    </message>
    <message>
        <source>held-out, by step</source>
        <translation>Prüftext, je Schritt</translation>
    </message>
    <message>
        <source>How often the Time Mixer picks the right epoch for a token</source>
        <translation>Wie oft der Time Mixer die richtige Epoche für ein Token wählt</translation>
    </message>
    <message>
        <source>Matrix</source>
        <translation>Matrix</translation>
    </message>
    <message>
        <source>Show the memory matrix</source>
        <translation>Gedächtnismatrix zeigen</translation>
    </message>
    <message>
        <source>Errors</source>
        <translation>Fehler</translation>
    </message>
    <message>
        <source>Show where on held-out text the Time Mixer errs most</source>
        <translation>Zeigen, wo der Time Mixer auf Prüftext am meisten irrt</translation>
    </message>
    <message>
        <source>Curve</source>
        <translation>Kurve</translation>
    </message>
    <message>
        <source>Choose what this chart shows: mixer-distill loss, learning rate, gradient norm</source>
        <translation>Wählen, was dieses Diagramm zeigt: Destillationsverlust, Lernrate, Gradientennorm</translation>
    </message>
    <message>
        <source>Fold the charts to a strip</source>
        <translation>Diagramme zu einer Zeile einklappen</translation>
    </message>
    <message>
        <source>Samples</source>
        <translation>Proben</translation>
    </message>
    <message>
        <source>Show what the mixture said of one prompt while it learned</source>
        <translation>Zeigen, was die Mischung beim Lernen auf einen Prompt geschrieben hat</translation>
    </message>
    <message>
        <source>train</source>
        <translation>Training</translation>
    </message>
    <message>
        <source>held-out</source>
        <translation>Prüftext</translation>
    </message>
    <message>
        <source>kept</source>
        <translation>behalten</translation>
    </message>
    <message>
        <source>without</source>
        <translation>ohne</translation>
    </message>
    <message>
        <source>with</source>
        <translation>mit</translation>
    </message>
    <message>
        <source>without Active Sleep</source>
        <translation>ohne Active Sleep</translation>
    </message>
    <message>
        <source>nats/token</source>
        <translation>Nats/Token</translation>
    </message>
    <message>
        <source>Memory matrix</source>
        <translation>Gedächtnismatrix</translation>
    </message>
</context>
<context>
    <name>ClosingControl</name>
    <message>
        <source>Resume later</source>
        <translation>Später fortsetzen</translation>
    </message>
    <message>
        <source>Keep what is learned</source>
        <translation>Gelerntes behalten</translation>
    </message>
    <message>
        <source>Discard</source>
        <translation>Verwerfen</translation>
    </message>
    <message>
        <source>An epoch is in training</source>
        <translation>Eine Epoche ist im Training</translation>
    </message>
    <message>
        <source>What should become of it?</source>
        <translation>Was soll daraus werden?</translation>
    </message>
    <message>
        <source>Nothing is learned yet, so nothing can be kept.</source>
        <translation>Noch ist nichts gelernt, also kann nichts bleiben.</translation>
    </message>
    <message>
        <source>Those that wait their turn ({count}) are kept for the next start.</source>
        <translation>Was noch wartet ({count}), bleibt für den nächsten Start.</translation>
    </message>
    <message>
        <source>Go on training</source>
        <translation>Weiter trainieren</translation>
    </message>
    <message>
        <source>The training is still being stored</source>
        <translation>Das Training wird noch gespeichert</translation>
    </message>
    <message>
        <source>Without it, what was learned since its last checkpoint is lost. All else is stored.</source>
        <translation>Sonst geht verloren, was seit dem letzten Zwischenstand gelernt wurde. Alles andere ist gespeichert.</translation>
    </message>
    <message>
        <source>Close at once</source>
        <translation>Sofort schließen</translation>
    </message>
    <message>
        <source>Wait</source>
        <translation>Warten</translation>
    </message>
</context>
<context>
    <name>ColourPicker</name>
    <message>
        <source>Colour</source>
        <translation>Farbe</translation>
    </message>
    <message>
        <source>Blue</source>
        <translation>Blau</translation>
    </message>
    <message>
        <source>Amber</source>
        <translation>Bernstein</translation>
    </message>
    <message>
        <source>Green</source>
        <translation>Grün</translation>
    </message>
    <message>
        <source>Pink</source>
        <translation>Rosa</translation>
    </message>
    <message>
        <source>Vermilion</source>
        <translation>Zinnoberrot</translation>
    </message>
    <message>
        <source>Sky blue</source>
        <translation>Himmelblau</translation>
    </message>
    <message>
        <source>Brown</source>
        <translation>Braun</translation>
    </message>
    <message>
        <source>Violet</source>
        <translation>Violett</translation>
    </message>
    <message>
        <source>This epoch&apos;s own colour</source>
        <translation>Die eigene Farbe dieser Epoche</translation>
    </message>
</context>
<context>
    <name>CommandPalette</name>
    <message>
        <source>Commands</source>
        <translation>Befehle</translation>
    </message>
    <message>
        <source>Find a command</source>
        <translation>Befehl suchen</translation>
    </message>
    <message>
        <source>Type a few letters of a command</source>
        <translation>Ein paar Buchstaben eines Befehls tippen</translation>
    </message>
    <message>
        <source>Up and Down choose, Enter runs, Esc closes</source>
        <translation>↑ und ↓ wählen, Enter führt aus, Esc schließt</translation>
    </message>
    <message>
        <source>Commands found</source>
        <translation>Gefundene Befehle</translation>
    </message>
    <message>
        <source>No matching command.</source>
        <translation>Kein passender Befehl.</translation>
    </message>
</context>
<context>
    <name>CompareColumn</name>
    <message>
        <source>Remove this column</source>
        <translation>Diese Spalte entfernen</translation>
    </message>
    <message>
        <source>Mode</source>
        <translation>Modus</translation>
    </message>
    <message>
        <source>Mode of this column</source>
        <translation>Modus dieser Spalte</translation>
    </message>
    <message>
        <source>Mode of column {number}</source>
        <translation>Modus der Spalte {number}</translation>
    </message>
    <message>
        <source>Remove column {number}</source>
        <translation>Spalte {number} entfernen</translation>
    </message>
    <message>
        <source>Compared text {number}</source>
        <translation>Verglichener Text {number}</translation>
    </message>
    <message>
        <source>Stopped before it began.</source>
        <translation>Gestoppt, bevor er begann.</translation>
    </message>
    <message>
        <source>no difference to the first</source>
        <translation>kein Unterschied zur ersten</translation>
    </message>
    <message>
        <source>{count} of {total} differ, from token {first} on</source>
        <translation>{count} von {total} verschieden, ab Token {first}</translation>
    </message>
    <message>
        <source>{count} tokens</source>
        <translation>{count} Tokens</translation>
    </message>
    <message>
        <source>{speed} tokens/s</source>
        <translation>{speed} Tokens/s</translation>
    </message>
    <message>
        <source>surprise {bits} bits</source>
        <translation>Überraschung {bits} Bit</translation>
    </message>
    <message>
        <source>Mean mix of the new tokens: {mix}</source>
        <translation>Mittlere Mischung der neuen Tokens: {mix}</translation>
    </message>
    <message>
        <source>Surprise: mean over the new tokens. Tokens are counted from 0.</source>
        <translation>Überraschung: Mittel über die neuen Tokens. Tokens werden ab 0 gezählt.</translation>
    </message>
</context>
<context>
    <name>CompareControl</name>
    <message>
        <source>Open this text from the list of texts to branch off</source>
        <translation>Diesen Text aus der Liste der Texte öffnen, um davon abzuzweigen</translation>
    </message>
    <message>
        <source>Open this text from the list of texts to ask about it</source>
        <translation>Diesen Text aus der Liste der Texte öffnen, um nach ihm zu fragen</translation>
    </message>
</context>
<context>
    <name>ComparePage</name>
    <message>
        <source>Comparison</source>
        <translation>Vergleich</translation>
    </message>
    <message>
        <source>New comparison</source>
        <translation>Neuer Vergleich</translation>
    </message>
    <message>
        <source>Back to one prompt and several modes</source>
        <translation>Zurück zu einem Prompt und mehreren Modi</translation>
    </message>
    <message>
        <source>+ Column</source>
        <translation>+ Spalte</translation>
    </message>
    <message>
        <source>Compare with one more mode</source>
        <translation>Mit einem weiteren Modus vergleichen</translation>
    </message>
    <message>
        <source>{name} · seed {seed}</source>
        <translation>{name} · Seed {seed}</translation>
    </message>
    <message>
        <source>&lt;i&gt;slanted&lt;/i&gt;: differs from the first row</source>
        <translation>&lt;i&gt;schräg&lt;/i&gt;: anders als in der ersten Zeile</translation>
    </message>
    <message>
        <source>&lt;i&gt;slanted&lt;/i&gt;: differs from the first column</source>
        <translation>&lt;i&gt;schräg&lt;/i&gt;: anders als in der ersten Spalte</translation>
    </message>
    <message>
        <source>Compare to see what this one says.</source>
        <translation>Vergleichen zeigt, was diese Stimme sagt.</translation>
    </message>
    <message>
        <source>Reading the prompt…</source>
        <translation>Prompt wird gelesen…</translation>
    </message>
    <message>
        <source>Waits for its turn…</source>
        <translation>Wartet, bis es an der Reihe ist…</translation>
    </message>
</context>
<context>
    <name>Controller</name>
    <message>
        <source>1 epoch</source>
        <translation>1 Epoche</translation>
    </message>
    <message>
        <source>{count} epochs</source>
        <translation>{count} Epochen</translation>
    </message>
    <message>
        <source>Written: {path}</source>
        <translation>Geschrieben: {path}</translation>
    </message>
    <message>
        <source>{speed:.1f} tokens/s</source>
        <translation>{speed:.1f} Tokens/s</translation>
    </message>
    <message>
        <source>Written: {path}. The lower rank loses {lost:.1f} % of the update.</source>
        <translation>Geschrieben: {path}. Der niedrigere Rang verliert {lost:.1f} % der Änderung.</translation>
    </message>
    <message>
        <source>{speed:.0f} tokens/s</source>
        <translation>{speed:.0f} Tokens/s</translation>
    </message>
</context>
<context>
    <name>CopyControl</name>
    <message>
        <source>An epoch is in training here.</source>
        <translation>Hier wird gerade eine Epoche trainiert.</translation>
    </message>
    <message>
        <source>Stop it first; or duplicate the project: the copy has what is finished and the latest checkpoint.</source>
        <translation>Sie zuerst anhalten; oder das Projekt duplizieren: Die Kopie hat, was fertig ist, und den letzten Zwischenstand.</translation>
    </message>
    <message>
        <source>Duplicate…</source>
        <translation>Duplizieren…</translation>
    </message>
    <message>
        <source>Save the project as</source>
        <translation>Projekt speichern unter</translation>
    </message>
    <message>
        <source>Duplicate the project</source>
        <translation>Projekt duplizieren</translation>
    </message>
    <message>
        <source>Project folder</source>
        <translation>Projektordner</translation>
    </message>
    <message>
        <source>Project in one file</source>
        <translation>Projekt in einer Datei</translation>
    </message>
    <message>
        <source>Send as a file</source>
        <translation>Als Datei senden</translation>
    </message>
    <message>
        <source>Copied: {path}</source>
        <translation>Kopiert: {path}</translation>
    </message>
    <message>
        <source>Written: {path}</source>
        <translation>Geschrieben: {path}</translation>
    </message>
    <message>
        <source>Open the copy</source>
        <translation>Kopie öffnen</translation>
    </message>
</context>
<context>
    <name>CorpusBox</name>
    <message>
        <source>Folder or files</source>
        <translation>Ordner oder Dateien</translation>
    </message>
    <message>
        <source>Files and folders of text</source>
        <translation>Dateien und Ordner mit Text</translation>
    </message>
    <message>
        <source>Files and folders to train on, separated by semicolons</source>
        <translation>Dateien und Ordner für das Training, durch Semikolon getrennt</translation>
    </message>
    <message>
        <source>Folder…</source>
        <translation>Ordner…</translation>
    </message>
    <message>
        <source>Choose a folder of text</source>
        <translation>Ordner mit Text wählen</translation>
    </message>
    <message>
        <source>Files…</source>
        <translation>Dateien…</translation>
    </message>
    <message>
        <source>Choose text files</source>
        <translation>Textdateien wählen</translation>
    </message>
    <message>
        <source>Folder of text</source>
        <translation>Ordner mit Text</translation>
    </message>
    <message>
        <source>Text files</source>
        <translation>Textdateien</translation>
    </message>
</context>
<context>
    <name>CorpusView</name>
    <message>
        <source>The beginning of the text</source>
        <translation>Der Anfang des Texts</translation>
    </message>
    <message>
        <source>As the model sees it</source>
        <translation>Wie das Modell ihn sieht</translation>
    </message>
    <message>
        <source>What was skipped, and why</source>
        <translation>Was übersprungen wurde, und warum</translation>
    </message>
    <message>
        <source>What was read in an unusual way</source>
        <translation>Was auf ungewöhnliche Weise gelesen wurde</translation>
    </message>
    <message>
        <source>Drop files or folders here, or browse.</source>
        <translation>Dateien oder Ordner hier ablegen oder auswählen.</translation>
    </message>
    <message>
        <source>Text, Markdown, source code: any text.</source>
        <translation>Text, Markdown, Quellcode: jeder Text.</translation>
    </message>
    <message>
        <source>Looking through the files…</source>
        <translation>Dateien werden durchgesehen…</translation>
    </message>
    <message>
        <source>1 file</source>
        <translation>1 Datei</translation>
    </message>
    <message>
        <source>{n} files</source>
        <translation>{n} Dateien</translation>
    </message>
    <message>
        <source>about </source>
        <translation>etwa </translation>
    </message>
    <message>
        <source>{n} tokens to train on</source>
        <translation>{n} Tokens für das Training</translation>
    </message>
    <message>
        <source>Held out for measuring: {tokens} tokens in {files} ({share})</source>
        <translation>Als Prüftext zurückgelegt: {tokens} Tokens in {files} ({share})</translation>
    </message>
    <message>
        <source>1 file skipped</source>
        <translation>1 Datei übersprungen</translation>
    </message>
    <message>
        <source>{n} files skipped</source>
        <translation>{n} Dateien übersprungen</translation>
    </message>
    <message>
        <source>1 remark</source>
        <translation>1 Anmerkung</translation>
    </message>
    <message>
        <source>{n} remarks</source>
        <translation>{n} Anmerkungen</translation>
    </message>
</context>
<context>
    <name>CounterfactualBox</name>
    <message>
        <source>Show counterfactuals</source>
        <translation>Kontrafaktisches zeigen</translation>
    </message>
    <message>
        <source>What would the backbone and every epoch alone have predicted here? One batched pass shows it.</source>
        <translation>Was hätten das Backbone und jede Epoche allein hier vorhergesagt? Ein gebündelter Durchlauf zeigt es.</translation>
    </message>
    <message>
        <source>As I walk</source>
        <translation>Beim Durchgehen</translation>
    </message>
    <message>
        <source>Show counterfactuals as I walk</source>
        <translation>Kontrafaktisches beim Gehen zeigen</translation>
    </message>
    <message>
        <source>Ask by itself about every token that is shown for a moment</source>
        <translation>Von selbst nach jedem Token fragen, das einen Moment lang gezeigt wird</translation>
    </message>
    <message>
        <source>Kullback-Leibler divergence of the next-token probabilities, the mix against the backbone alone: 0 where the epochs change nothing, larger the further they pull the mix away from the backbone.</source>
        <translation>Kullback-Leibler-Divergenz der Wahrscheinlichkeiten des nächsten Tokens, die Mischung gegen das Backbone allein: 0, wo die Epochen nichts ändern, und umso größer, je weiter sie die Mischung vom Backbone wegziehen.</translation>
    </message>
    <message>
        <source>Counterfactuals: what each slot alone would say here</source>
        <translation>Kontrafaktisch: was jeder Slot allein hier sagen würde</translation>
    </message>
    <message>
        <source>Counterfactuals: each slot alone</source>
        <translation>Kontrafaktisch: jeder Slot allein</translation>
    </message>
    <message>
        <source>Shows each one&apos;s own word, and what it thinks of this one.</source>
        <translation>Zeigt das eigene Wort eines jeden und was er von diesem hält.</translation>
    </message>
    <message>
        <source>Asking…</source>
        <translation>Wird gefragt…</translation>
    </message>
    <message>
        <source>KL(mix ‖ backbone) {nats}&#xa0;nats: what the epochs changed here</source>
        <translation>KL(Mischung ‖ Backbone) {nats}&#xa0;Nats: was die Epochen hier änderten</translation>
    </message>
    <message>
        <source>Right: its own first choice. Bar: its probability of “{word}”.</source>
        <translation>Rechts: die eigene erste Wahl. Balken: die Wahrscheinlichkeit von „{word}“.</translation>
    </message>
</context>
<context>
    <name>Demo</name>
    <message>
        <source>Stop the &amp;demo</source>
        <translation>&amp;Demo stoppen</translation>
    </message>
    <message>
        <source>Play the &amp;demo</source>
        <translation>&amp;Demo abspielen</translation>
    </message>
    <message>
        <source>Stop the demo</source>
        <translation>Demo stoppen</translation>
    </message>
</context>
<context>
    <name>DeskTone</name>
    <message>
        <source>Temperature</source>
        <translation>Temperatur</translation>
    </message>
    <message>
        <source>Temperature of the Time Mixer</source>
        <translation>Temperatur des Time Mixers</translation>
    </message>
    <message>
        <source>Below 1 the Time Mixer decides more sharply, above 1 more softly; double-click for 1</source>
        <translation>Unter 1 entscheidet der Time Mixer schärfer, über 1 weicher; Doppelklick für 1</translation>
    </message>
    <message>
        <source>All to the largest</source>
        <translation>Alles an den größten</translation>
    </message>
    <message>
        <source>All weight to the largest</source>
        <translation>Alles Gewicht dem größten</translation>
    </message>
    <message>
        <source>Hard: in every token the slot with the largest weight speaks alone</source>
        <translation>Hart: In jedem Token spricht der Slot mit dem größten Gewicht allein</translation>
    </message>
</context>
<context>
    <name>Disclosure</name>
    <message>
        <source>Show or hide: {title}</source>
        <translation>Ein- oder ausblenden: {title}</translation>
    </message>
</context>
<context>
    <name>DropControl</name>
    <message>
        <source>Projects and models are dropped one at a time: {names}</source>
        <translation>Projekte und Modelle bitte einzeln ablegen: {names}</translation>
    </message>
    <message>
        <source>Nothing was opened.</source>
        <translation>Nichts wurde geöffnet.</translation>
    </message>
    <message>
        <source>An adapter becomes an epoch of a project around its model.</source>
        <translation>Ein Adapter wird Epoche eines Projekts um sein Modell.</translation>
    </message>
    <message>
        <source>Open or make that project first.</source>
        <translation>Dieses Projekt zuerst öffnen oder anlegen.</translation>
    </message>
    <message>
        <source>The text is taken up once the project is open.</source>
        <translation>Der Text wird aufgenommen, sobald das Projekt offen ist.</translation>
    </message>
    <message>
        <source>Choose a backbone first; the dropped text is kept for then.</source>
        <translation>Zuerst ein Backbone wählen; der abgelegte Text bleibt bis dahin vorgemerkt.</translation>
    </message>
    <message>
        <source>Open {name}?</source>
        <translation>{name} öffnen?</translation>
    </message>
    <message>
        <source>The project that is open here is closed for it; nothing of it is lost.</source>
        <translation>Das hier offene Projekt wird dafür geschlossen; nichts davon geht verloren.</translation>
    </message>
    <message>
        <source>Open it</source>
        <translation>Öffnen</translation>
    </message>
    <message>
        <source>Stay here</source>
        <translation>Hier bleiben</translation>
    </message>
    <message>
        <source>{name} is the backbone of the next project.</source>
        <translation>{name} ist das Backbone des nächsten Projekts.</translation>
    </message>
    <message>
        <source>{name} is a model, not a text; a project keeps the backbone it was made with.</source>
        <translation>{name} ist ein Modell, kein Text; ein Projekt behält das Backbone, mit dem es angelegt wurde.</translation>
    </message>
    <message>
        <source>New project with it</source>
        <translation>Neues Projekt damit</translation>
    </message>
</context>
<context>
    <name>DropZone</name>
    <message>
        <source>Drop a folder of text here
to train a new epoch</source>
        <translation>Einen Ordner mit Text hier ablegen,
um eine neue Epoche zu trainieren</translation>
    </message>
    <message>
        <source>Drop a folder of text here to train a new epoch</source>
        <translation>Einen Ordner mit Text hier ablegen, um eine neue Epoche zu trainieren</translation>
    </message>
    <message>
        <source>Drop files or folders, or click to choose them</source>
        <translation>Dateien oder Ordner ablegen oder zum Auswählen klicken</translation>
    </message>
</context>
<context>
    <name>EditEpochDialog</name>
    <message>
        <source>Edit epoch {name}</source>
        <translation>Epoche {name} bearbeiten</translation>
    </message>
    <message>
        <source>Name of the epoch; its adapter keeps the name it was trained under</source>
        <translation>Name der Epoche; ihr Adapter behält den Namen, unter dem er trainiert wurde</translation>
    </message>
    <message>
        <source>such as Renaissance era</source>
        <translation>etwa Renaissance</translation>
    </message>
    <message>
        <source>The time or the kind of text, in your words</source>
        <translation>Die Zeit oder die Art des Texts, in eigenen Worten</translation>
    </message>
    <message>
        <source>Name of the epoch</source>
        <translation>Name der Epoche</translation>
    </message>
    <message>
        <source>Era of the epoch</source>
        <translation>Ära der Epoche</translation>
    </message>
    <message>
        <source>&amp;Name</source>
        <translation>&amp;Name</translation>
    </message>
    <message>
        <source>&amp;Era</source>
        <translation>&amp;Ära</translation>
    </message>
    <message>
        <source>&amp;Colour</source>
        <translation>&amp;Farbe</translation>
    </message>
    <message>
        <source>Save</source>
        <translation>Speichern</translation>
    </message>
    <message>
        <source>Cancel</source>
        <translation>Abbrechen</translation>
    </message>
</context>
<context>
    <name>EpochActions</name>
    <message>
        <source>Discard the training of {name}?</source>
        <translation>Das Training von {name} verwerfen?</translation>
    </message>
    <message>
        <source>What it has learned so far is deleted. This cannot be undone.</source>
        <translation>Das bisher Gelernte wird gelöscht. Das lässt sich nicht rückgängig machen.</translation>
    </message>
    <message>
        <source>Discard</source>
        <translation>Verwerfen</translation>
    </message>
    <message>
        <source>Cancel</source>
        <translation>Abbrechen</translation>
    </message>
    <message>
        <source>Folder for the adapter of {name}</source>
        <translation>Ordner für den Adapter von {name}</translation>
    </message>
    <message>
        <source>Save the GGUF adapter</source>
        <translation>GGUF-Adapter speichern</translation>
    </message>
</context>
<context>
    <name>EpochCard</name>
    <message>
        <source>Rename, recolour, export, delete</source>
        <translation>Umbenennen, umfärben, exportieren, löschen</translation>
    </message>
    <message>
        <source>Resume</source>
        <translation>Fortsetzen</translation>
    </message>
    <message>
        <source>Go on with this training from its checkpoint</source>
        <translation>Dieses Training ab seinem Zwischenstand fortsetzen</translation>
    </message>
    <message>
        <source>Keep</source>
        <translation>Behalten</translation>
    </message>
    <message>
        <source>Make a finished epoch of what this training has learned so far</source>
        <translation>Aus dem, was dieses Training bisher gelernt hat, eine fertige Epoche machen</translation>
    </message>
    <message>
        <source>Discard…</source>
        <translation>Verwerfen…</translation>
    </message>
    <message>
        <source>Throw away what this training has learned so far</source>
        <translation>Wegwerfen, was dieses Training bisher gelernt hat</translation>
    </message>
    <message>
        <source>being kept</source>
        <translation>wird behalten</translation>
    </message>
    <message>
        <source>paused</source>
        <translation>pausiert</translation>
    </message>
    <message>
        <source>{n} tokens</source>
        <translation>{n} Tokens</translation>
    </message>
    <message>
        <source>held-out {loss}</source>
        <translation>Prüftext {loss}</translation>
    </message>
    <message>
        <source>Actions for {name}</source>
        <translation>Aktionen für {name}</translation>
    </message>
    <message>
        <source>frozen</source>
        <translation>eingefroren</translation>
    </message>
    <message>
        <source>training</source>
        <translation>im Training</translation>
    </message>
    <message>
        <source>queued</source>
        <translation>wartet</translation>
    </message>
    <message>
        <source>interrupted</source>
        <translation>unterbrochen</translation>
    </message>
    <message>
        <source>broken</source>
        <translation>defekt</translation>
    </message>
</context>
<context>
    <name>EpochMenu</name>
    <message>
        <source>Resume</source>
        <translation>Fortsetzen</translation>
    </message>
    <message>
        <source>Keep</source>
        <translation>Behalten</translation>
    </message>
    <message>
        <source>Make a finished epoch of what this training has learned so far</source>
        <translation>Aus dem, was dieses Training bisher gelernt hat, eine fertige Epoche machen</translation>
    </message>
    <message>
        <source>Discard…</source>
        <translation>Verwerfen…</translation>
    </message>
    <message>
        <source>Rename…</source>
        <translation>Umbenennen…</translation>
    </message>
    <message>
        <source>Colour…</source>
        <translation>Farbe…</translation>
    </message>
    <message>
        <source>Export as PEFT adapter…</source>
        <translation>Als PEFT-Adapter exportieren…</translation>
    </message>
    <message>
        <source>A folder that peft.PeftModel.from_pretrained opens</source>
        <translation>Ein Ordner, den peft.PeftModel.from_pretrained öffnet</translation>
    </message>
    <message>
        <source>Export as GGUF adapter…</source>
        <translation>Als GGUF-Adapter exportieren…</translation>
    </message>
    <message>
        <source>A file for llama.cpp, Ollama and LM Studio, beside the backbone&apos;s .gguf file</source>
        <translation>Eine Datei für llama.cpp, Ollama und LM Studio, neben der .gguf-Datei des Backbones</translation>
    </message>
    <message>
        <source>Delete</source>
        <translation>Löschen</translation>
    </message>
    <message>
        <source>Possible once the work that is running has ended</source>
        <translation>Möglich, sobald die laufende Arbeit beendet ist</translation>
    </message>
    <message>
        <source>Take this epoch out of the mixture; this can be undone</source>
        <translation>Diese Epoche aus der Mischung nehmen; das lässt sich rückgängig machen</translation>
    </message>
</context>
<context>
    <name>EpochsPanel</name>
    <message>
        <source>+ Add</source>
        <translation>+ Neu</translation>
    </message>
    <message>
        <source>Add an epoch</source>
        <translation>Epoche hinzufügen</translation>
    </message>
    <message>
        <source>Train a new epoch on text of yours</source>
        <translation>Eine neue Epoche mit eigenem Text trainieren</translation>
    </message>
    <message>
        <source>Epochs</source>
        <translation>Epochen</translation>
    </message>
    <message>
        <source>New epoch</source>
        <translation>Neue Epoche</translation>
    </message>
    <message>
        <source>Resume all</source>
        <translation>Alle fortsetzen</translation>
    </message>
    <message>
        <source>Go on training, one waiting epoch after another</source>
        <translation>Weiter trainieren, eine wartende Epoche nach der anderen</translation>
    </message>
    <message>
        <source>Pause all</source>
        <translation>Alle pausieren</translation>
    </message>
    <message>
        <source>Pause the training, and let no waiting epoch begin</source>
        <translation>Das Training pausieren und keine wartende Epoche beginnen lassen</translation>
    </message>
</context>
<context>
    <name>FaderStrip</name>
    <message>
        <source>M</source>
        <translation>M</translation>
    </message>
    <message>
        <source>Mute {name}</source>
        <translation>{name} stumm schalten</translation>
    </message>
    <message>
        <source>Mute: silent, whatever its level</source>
        <translation>Stumm: schweigt, wie hoch der Pegel auch steht</translation>
    </message>
    <message>
        <source>S</source>
        <translation>S</translation>
    </message>
    <message>
        <source>Solo {name}</source>
        <translation>{name} solo</translation>
    </message>
    <message>
        <source>Solo: only those that play solo speak</source>
        <translation>Solo: Nur wer solo spielt, spricht</translation>
    </message>
    <message>
        <source>Level of {name}</source>
        <translation>Pegel von {name}</translation>
    </message>
    <message>
        <source>Choose Manual or × Gain above to turn it</source>
        <translation>Zum Verstellen oben „Manuell“ oder „× Pegel“ wählen</translation>
    </message>
    <message>
        <source>← and → turn it, ↑ and ↓ go to the next one, M mutes, S plays solo; double-click for 100 %</source>
        <translation>← und → verstellen, ↑ und ↓ gehen zum nächsten, M schaltet stumm, S spielt solo; Doppelklick für 100 %</translation>
    </message>
    <message>
        <source>In the latest token: {share}</source>
        <translation>Im letzten Token: {share}</translation>
    </message>
</context>
<context>
    <name>FindBar</name>
    <message>
        <source>Find in the text</source>
        <translation>Im Text suchen</translation>
    </message>
    <message>
        <source>What to find; capitals count only if there are any here</source>
        <translation>Was zu suchen ist; Großbuchstaben zählen nur, wenn hier welche stehen</translation>
    </message>
    <message>
        <source>Previous hit (Shift+Enter)</source>
        <translation>Voriger Treffer (Umschalt+Enter)</translation>
    </message>
    <message>
        <source>Next hit (Enter)</source>
        <translation>Nächster Treffer (Enter)</translation>
    </message>
    <message>
        <source>Back to the text (Esc)</source>
        <translation>Zurück zum Text (Esc)</translation>
    </message>
    <message>
        <source>{number} of {count}</source>
        <translation>{number} von {count}</translation>
    </message>
    <message>
        <source>No hit</source>
        <translation>Kein Treffer</translation>
    </message>
</context>
<context>
    <name>GenerationControl</name>
    <message>
        <source>Read a text file</source>
        <translation>Textdatei lesen</translation>
    </message>
    <message>
        <source>(reading {name})</source>
        <translation>({name} wird gelesen)</translation>
    </message>
    <message>
        <source>What is struck out in the prompt would be left out.</source>
        <translation>Was im Prompt durchgestrichen ist, würde weggelassen.</translation>
    </message>
    <message>
        <source>Cut and generate</source>
        <translation>Kürzen und erzeugen</translation>
    </message>
    <message>
        <source>Its beginning can be read.</source>
        <translation>Sein Anfang lässt sich lesen.</translation>
    </message>
    <message>
        <source>Read the beginning</source>
        <translation>Den Anfang lesen</translation>
    </message>
    <message>
        <source>Generate a text first</source>
        <translation>Zuerst einen Text erzeugen</translation>
    </message>
    <message>
        <source>Stop the text that is coming, or wait for its end</source>
        <translation>Den Text, der gerade kommt, stoppen oder sein Ende abwarten</translation>
    </message>
</context>
<context>
    <name>GenerationPane</name>
    <message>
        <source>Copy</source>
        <translation>Kopieren</translation>
    </message>
    <message>
        <source>Copy the whole text</source>
        <translation>Den ganzen Text kopieren</translation>
    </message>
    <message>
        <source>Save…</source>
        <translation>Speichern…</translation>
    </message>
    <message>
        <source>As a web page, a picture, Markdown, or to open it again</source>
        <translation>Als Webseite, Bild, Markdown oder zum Wiederöffnen</translation>
    </message>
    <message>
        <source>Edit</source>
        <translation>Ändern</translation>
    </message>
    <message>
        <source>Edit the prompt, with which the text begins; Esc goes back to it</source>
        <translation>Den Prompt ändern, mit dem der Text beginnt; Esc geht zurück</translation>
    </message>
    <message>
        <source>Open a project to generate text.</source>
        <translation>Ein Projekt öffnen, um Text zu erzeugen.</translation>
    </message>
    <message>
        <source>The text appears here.</source>
        <translation>Hier erscheint der Text.</translation>
    </message>
</context>
<context>
    <name>GenerationRow</name>
    <message>
        <source>read</source>
        <translation>gelesen</translation>
    </message>
    <message>
        <source>seed {seed}</source>
        <translation>Seed {seed}</translation>
    </message>
    <message>
        <source>{count} tokens</source>
        <translation>{count} Tokens</translation>
    </message>
    <message>
        <source>Name of the text</source>
        <translation>Name des Texts</translation>
    </message>
</context>
<context>
    <name>GenerationStats</name>
    <message>
        <source>Reading the prompt…</source>
        <translation>Prompt wird gelesen…</translation>
    </message>
    <message>
        <source>{count} tokens read</source>
        <translation>{count} Tokens gelesen</translation>
    </message>
    <message>
        <source>end of text</source>
        <translation>Textende</translation>
    </message>
    <message>
        <source>stopped</source>
        <translation>gestoppt</translation>
    </message>
    <message>
        <source>length limit</source>
        <translation>Längengrenze</translation>
    </message>
    <message>
        <source>1 token</source>
        <translation>1 Token</translation>
    </message>
    <message>
        <source>{count} tokens</source>
        <translation>{count} Tokens</translation>
    </message>
    <message>
        <source>{tokens} · {speed} tokens/s</source>
        <translation>{tokens} · {speed} Tokens/s</translation>
    </message>
</context>
<context>
    <name>GenerationsPanel</name>
    <message>
        <source>Texts</source>
        <translation>Texte</translation>
    </message>
    <message>
        <source>Undo</source>
        <translation>Rückgängig</translation>
    </message>
    <message>
        <source>Redo</source>
        <translation>Wiederholen</translation>
    </message>
    <message>
        <source>Filter texts</source>
        <translation>Texte filtern</translation>
    </message>
    <message>
        <source>Show only texts in which these words occur: in name, prompt or text</source>
        <translation>Nur Texte zeigen, in denen diese Wörter vorkommen: in Name, Prompt oder Text</translation>
    </message>
    <message>
        <source>Filter</source>
        <translation>Filtern</translation>
    </message>
    <message>
        <source>Open</source>
        <translation>Öffnen</translation>
    </message>
    <message>
        <source>Show this text</source>
        <translation>Diesen Text zeigen</translation>
    </message>
    <message>
        <source>Rename</source>
        <translation>Umbenennen</translation>
    </message>
    <message>
        <source>Give this text a name (F2); an empty one takes it away</source>
        <translation>Diesem Text einen Namen geben (F2); ein leerer nimmt ihn weg</translation>
    </message>
    <message>
        <source>Pin</source>
        <translation>Anheften</translation>
    </message>
    <message>
        <source>Keep this text on top of the list</source>
        <translation>Diesen Text oben in der Liste halten</translation>
    </message>
    <message>
        <source>Delete</source>
        <translation>Löschen</translation>
    </message>
    <message>
        <source>Delete the selected texts and what branches off them (Del); this can be undone</source>
        <translation>Die ausgewählten Texte und was von ihnen abzweigt löschen (Entf); das lässt sich rückgängig machen</translation>
    </message>
    <message>
        <source>Compare</source>
        <translation>Vergleichen</translation>
    </message>
    <message>
        <source>Show two to four texts side by side; select them with Ctrl or Shift</source>
        <translation>Zwei bis vier Texte nebeneinander zeigen; mit Strg oder Umschalt auswählen</translation>
    </message>
    <message>
        <source>{word}: {what}</source>
        <translation>{word}: {what}</translation>
    </message>
    <message>
        <source>Unpin</source>
        <translation>Lösen</translation>
    </message>
    <message>
        <source>No text has these words.</source>
        <translation>Kein Text hat diese Wörter.</translation>
    </message>
    <message>
        <source>Nothing generated yet. Every text that you generate or read is kept here.</source>
        <translation>Noch nichts erzeugt. Jeder erzeugte oder gelesene Text bleibt hier.</translation>
    </message>
</context>
<context>
    <name>GenerationsTree</name>
    <message>
        <source>Kept texts</source>
        <translation>Aufbewahrte Texte</translation>
    </message>
    <message>
        <source>Open a text by a click or Enter; select several with Ctrl or Shift</source>
        <translation>Einen Text mit Klick oder Enter öffnen; mehrere mit Strg oder Umschalt auswählen</translation>
    </message>
</context>
<context>
    <name>ImportAdapterDialog</name>
    <message>
        <source>Import an adapter</source>
        <translation>Adapter importieren</translation>
    </message>
    <message>
        <source>{name} is interrupted and can no longer go on once another epoch is there.</source>
        <translation>{name} ist unterbrochen und kann nicht mehr weitergehen, sobald es eine weitere Epoche gibt.</translation>
    </message>
    <message>
        <source>A LoRA adapter that was trained on this project&apos;s backbone. What an epoch cannot be exactly is refused, with the reason.</source>
        <translation>Ein LoRA-Adapter, der auf dem Backbone dieses Projekts trainiert wurde. Was eine Epoche nicht genau sein kann, wird mit Grund abgelehnt.</translation>
    </message>
    <message>
        <source>Its own &amp;dreams</source>
        <translation>Eigene Träu&amp;me</translation>
    </message>
    <message>
        <source>The backbone with this adapter writes text by itself; no loss is measured</source>
        <translation>Das Backbone mit diesem Adapter schreibt selbst Text; kein Verlust wird gemessen</translation>
    </message>
    <message>
        <source>Text of its &amp;kind</source>
        <translation>Te&amp;xt seiner Art</translation>
    </message>
    <message>
        <source>Files and folders like those that it was trained on; losses are measured too</source>
        <translation>Dateien und Ordner wie die, auf denen er trainiert wurde; auch Verluste werden gemessen</translation>
    </message>
    <message>
        <source>Adapter</source>
        <translation>Adapter</translation>
    </message>
    <message>
        <source>The Time Mixer learns its slot from</source>
        <translation>Der Time Mixer lernt den Slot an</translation>
    </message>
    <message>
        <source>Epoch</source>
        <translation>Epoche</translation>
    </message>
    <message>
        <source>Folder, .zip, or an id on the Hub (owner/name)</source>
        <translation>Ordner, .zip oder Kennung im Hub (Besitzer/Name)</translation>
    </message>
    <message>
        <source>Where the adapter is</source>
        <translation>Wo der Adapter ist</translation>
    </message>
    <message>
        <source>The adapter&apos;s folder, a .zip of it, or its id on the Hugging Face Hub</source>
        <translation>Der Ordner des Adapters, eine .zip davon oder seine Kennung im Hugging Face Hub</translation>
    </message>
    <message>
        <source>Folder…</source>
        <translation>Ordner…</translation>
    </message>
    <message>
        <source>Choose the adapter&apos;s folder</source>
        <translation>Den Ordner des Adapters wählen</translation>
    </message>
    <message>
        <source>.zip…</source>
        <translation>.zip…</translation>
    </message>
    <message>
        <source>Choose a .zip of the adapter&apos;s folder</source>
        <translation>Eine .zip vom Ordner des Adapters wählen</translation>
    </message>
    <message>
        <source>Let the Time Mixer read the &amp;bare backbone</source>
        <translation>Time Mixer das &amp;bloße Backbone lesen lassen</translation>
    </message>
    <message>
        <source>The blocks below then run twice, first without any adapter: what the Time Mixer reads never moves. The project keeps this.</source>
        <translation>Die Blöcke darunter laufen dann zweimal, zuerst ohne Adapter: Was der Time Mixer liest, verschiebt sich nie. Das Projekt behält das bei.</translation>
    </message>
    <message>
        <source>Name of the epoch</source>
        <translation>Name der Epoche</translation>
    </message>
    <message>
        <source>Name of the epoch, and of its adapter</source>
        <translation>Name der Epoche und ihres Adapters</translation>
    </message>
    <message>
        <source>such as Renaissance era</source>
        <translation>etwa Renaissance</translation>
    </message>
    <message>
        <source>Era of the epoch</source>
        <translation>Ära der Epoche</translation>
    </message>
    <message>
        <source>The time or the kind of text, in your words; can stay empty</source>
        <translation>Zeit oder Art des Textes, in eigenen Worten; darf leer bleiben</translation>
    </message>
    <message>
        <source>&amp;Name</source>
        <translation>&amp;Name</translation>
    </message>
    <message>
        <source>&amp;Era</source>
        <translation>Ä&amp;ra</translation>
    </message>
    <message>
        <source>&amp;Colour</source>
        <translation>&amp;Farbe</translation>
    </message>
    <message>
        <source>Cancel</source>
        <translation>Abbrechen</translation>
    </message>
    <message>
        <source>Close without importing</source>
        <translation>Schließen, ohne zu importieren</translation>
    </message>
    <message>
        <source>Import</source>
        <translation>Importieren</translation>
    </message>
    <message>
        <source>Make an epoch of it now, or after the one that is in training</source>
        <translation>Jetzt eine Epoche daraus machen, oder nach der, die gerade trainiert wird</translation>
    </message>
    <message>
        <source>It changes blocks from {first} up. The Time Mixer of this project reads before block {layer}, and what it reads must not move. It can read the bare backbone instead, for about {share} more work per token.</source>
        <translation>Er ändert Blöcke ab {first}. Der Time Mixer dieses Projekts liest vor Block {layer}, und was er liest, darf sich nicht verschieben. Er kann stattdessen das bloße Backbone lesen, für etwa {share} mehr Arbeit je Token.</translation>
    </message>
    <message>
        <source>If it changes blocks below {layer}, before which the Time Mixer of this project reads, the Time Mixer has to read the bare backbone, for about {share} more work per token.</source>
        <translation>Ändert er Blöcke unter {layer}, vor dem der Time Mixer dieses Projekts liest, muss der Time Mixer das bloße Backbone lesen, für etwa {share} mehr Arbeit je Token.</translation>
    </message>
    <message>
        <source>The adapter&apos;s folder</source>
        <translation>Der Ordner des Adapters</translation>
    </message>
    <message>
        <source>Packed folders (*.zip)</source>
        <translation>Gepackte Ordner (*.zip)</translation>
    </message>
    <message>
        <source>A .zip of the adapter&apos;s folder</source>
        <translation>Eine .zip vom Ordner des Adapters</translation>
    </message>
</context>
<context>
    <name>Legend</name>
    <message>
        <source>Legend</source>
        <translation>Legende</translation>
    </message>
    <message>
        <source>{name} (uncoloured)</source>
        <translation>{name} (ungefärbt)</translation>
    </message>
    <message>
        <source>{name}, or several alike (uncoloured)</source>
        <translation>{name}, oder mehrere gleich (ungefärbt)</translation>
    </message>
    <message>
        <source>Probability 0</source>
        <translation>Wahrscheinlichkeit 0</translation>
    </message>
    <message>
        <source>1</source>
        <translation>1</translation>
    </message>
    <message>
        <source>As expected</source>
        <translation>Wie erwartet</translation>
    </message>
    <message>
        <source>10 bits of surprise or more</source>
        <translation>10 Bit Überraschung oder mehr</translation>
    </message>
    <message>
        <source>One slot speaks alone</source>
        <translation>Ein Slot spricht allein</translation>
    </message>
    <message>
        <source>All slots weigh the same</source>
        <translation>Alle Slots wiegen gleich viel</translation>
    </message>
    <message>
        <source>Weight of {name} 0</source>
        <translation>Gewicht von {name} 0</translation>
    </message>
</context>
<context>
    <name>LibraryControl</name>
    <message>
        <source>branch</source>
        <translation>Zweig</translation>
    </message>
    <message>
        <source>The text and what branches off it are deleted.</source>
        <translation>Der Text und was von ihm abzweigt werden gelöscht.</translation>
    </message>
    <message>
        <source>{count} texts and what branches off them are deleted.</source>
        <translation>{count} Texte und was von ihnen abzweigt sind gelöscht.</translation>
    </message>
    <message>
        <source>rename {name}</source>
        <translation>{name} umbenennen</translation>
    </message>
    <message>
        <source>pin {name}</source>
        <translation>{name} anheften</translation>
    </message>
    <message>
        <source>unpin {name}</source>
        <translation>{name} lösen</translation>
    </message>
    <message>
        <source>delete {name}</source>
        <translation>{name} löschen</translation>
    </message>
    <message>
        <source>delete {count} texts</source>
        <translation>{count} Texte löschen</translation>
    </message>
    <message>
        <source>Web page</source>
        <translation>Webseite</translation>
    </message>
    <message>
        <source>Picture</source>
        <translation>Bild</translation>
    </message>
    <message>
        <source>Markdown</source>
        <translation>Markdown</translation>
    </message>
    <message>
        <source>Text with its recipe, to open again</source>
        <translation>Text mit Rezept, zum Wiederöffnen</translation>
    </message>
    <message>
        <source>Save the text</source>
        <translation>Text speichern</translation>
    </message>
    <message>
        <source>Drawing</source>
        <translation>Zeichnung</translation>
    </message>
    <message>
        <source>Save the mix ribbon</source>
        <translation>Mischband speichern</translation>
    </message>
    <message>
        <source>Written: {path}</source>
        <translation>Geschrieben: {path}</translation>
    </message>
    <message>
        <source>Open a saved text</source>
        <translation>Gespeicherten Text öffnen</translation>
    </message>
    <message>
        <source>Saved texts</source>
        <translation>Gespeicherte Texte</translation>
    </message>
</context>
<context>
    <name>LineChart</name>
    <message>
        <source>Wheel: zoom. Drag: pan. Double-click or Home: show all. Left and right: read values</source>
        <translation>Rad: zoomen. Ziehen: verschieben. Doppelklick oder Pos1: alles zeigen. Links und rechts: Werte ablesen</translation>
    </message>
    <message>
        <source>Logarithmic scale</source>
        <translation>Logarithmische Skala</translation>
    </message>
    <message>
        <source>Values as a table</source>
        <translation>Werte als Tabelle</translation>
    </message>
    <message>
        <source>Show all steps</source>
        <translation>Alle Schritte zeigen</translation>
    </message>
    <message>
        <source>smoothed</source>
        <translation>geglättet</translation>
    </message>
    <message>
        <source>Values of “{title}”</source>
        <translation>Werte von „{title}“</translation>
    </message>
    <message>
        <source>Step {step}</source>
        <translation>Schritt {step}</translation>
    </message>
</context>
<context>
    <name>LogDialog</name>
    <message>
        <source>Nothing has gone wrong yet.</source>
        <translation>Bisher ist nichts schiefgegangen.</translation>
    </message>
    <message>
        <source>Newest</source>
        <translation>Neueste</translation>
    </message>
    <message>
        <source>Up to {time}</source>
        <translation>Bis {time}</translation>
    </message>
    <message>
        <source>Read again</source>
        <translation>Neu lesen</translation>
    </message>
    <message>
        <source>Open its folder</source>
        <translation>Ordner öffnen</translation>
    </message>
    <message>
        <source>Copy</source>
        <translation>Kopieren</translation>
    </message>
    <message>
        <source>Save…</source>
        <translation>Speichern…</translation>
    </message>
    <message>
        <source>Text (*.txt)</source>
        <translation>Text (*.txt)</translation>
    </message>
    <message>
        <source>Save this text</source>
        <translation>Diesen Text speichern</translation>
    </message>
    <message>
        <source>{path} cannot be written.</source>
        <translation>{path} lässt sich nicht schreiben.</translation>
    </message>
</context>
<context>
    <name>LossTable</name>
    <message>
        <source>Perplexity</source>
        <translation>Perplexität</translation>
    </message>
    <message>
        <source>How well each slot alone, and the mix, predict this text. Nats per token: the mean loss, shorter is better. Perplexity is e to that power: between how many equally likely tokens the choice seems to be.</source>
        <translation>Wie gut jeder Slot allein und die Mischung diesen Text vorhersagen. Nats je Token: der mittlere Verlust, kürzer ist besser. Die Perplexität ist e hoch diese Zahl: zwischen wie vielen gleich wahrscheinlichen Tokens die Wahl zu liegen scheint.</translation>
    </message>
    <message>
        <source>{row}, the best</source>
        <translation>{row}, am besten</translation>
    </message>
    <message>
        <source>nats/token</source>
        <translation>Nats/Token</translation>
    </message>
    <message>
        <source>perplexity</source>
        <translation>Perplexität</translation>
    </message>
    <message>
        <source>best</source>
        <translation>beste</translation>
    </message>
</context>
<context>
    <name>MainWindow</name>
    <message>
        <source>Something went wrong: {what}</source>
        <translation>Etwas ist schiefgegangen: {what}</translation>
    </message>
    <message>
        <source>Nothing stored is lost by it. Details can be copied.</source>
        <translation>Nichts Gespeichertes geht dadurch verloren. Details lassen sich kopieren.</translation>
    </message>
</context>
<context>
    <name>MeasureSwitch</name>
    <message>
        <source>Measure of the memory matrix</source>
        <translation>Maß der Gedächtnismatrix</translation>
    </message>
    <message>
        <source>Routing</source>
        <translation>Routing</translation>
    </message>
    <message>
        <source>Show how often each epoch&apos;s tokens go to it</source>
        <translation>Zeigen, wie oft die Tokens jeder Epoche zu ihr gelangen</translation>
    </message>
    <message>
        <source>Loss</source>
        <translation>Verlust</translation>
    </message>
    <message>
        <source>Show the loss of the mix on each epoch&apos;s text</source>
        <translation>Den Verlust der Mischung auf dem Text jeder Epoche zeigen</translation>
    </message>
</context>
<context>
    <name>MemoryMatrix</name>
    <message>
        <source>Memory matrix</source>
        <translation>Gedächtnismatrix</translation>
    </message>
    <message>
        <source>after</source>
        <translation>nach</translation>
    </message>
    <message>
        <source>No loss of the mix yet. It is measured when an epoch&apos;s training ends; epochs of older projects lack it.</source>
        <translation>Noch kein Verlust der Mischung. Er wird gemessen, wenn das Training einer Epoche endet; Epochen älterer Projekte haben ihn nicht.</translation>
    </message>
    <message>
        <source>Share of each epoch&apos;s held-out tokens that the mixer gives to it, after every phase</source>
        <translation>Anteil der Prüftext-Tokens jeder Epoche, die der Mixer ihr gibt, nach jeder Phase</translation>
    </message>
    <message>
        <source>Loss of the mix on each epoch&apos;s held-out text after every phase, in nats/token.
The stronger a cell, the more of the epoch&apos;s gain over the backbone is kept.</source>
        <translation>Verlust der Mischung am Prüftext jeder Epoche nach jeder Phase, in Nats/Token.
Je kräftiger eine Zelle, desto mehr vom Gewinn der Epoche gegenüber dem Backbone bleibt.</translation>
    </message>
    <message>
        <source>After {phase}: {share} of {epoch}&apos;s held-out tokens go to {epoch}</source>
        <translation>Nach {phase}: {share} der Prüftext-Tokens von {epoch} gehen an {epoch}</translation>
    </message>
    <message>
        <source>{words}; {share} without Active Sleep</source>
        <translation>{words}; {share} ohne Active Sleep</translation>
    </message>
    <message>
        <source>the mix has {loss} nats/token</source>
        <translation>hat die Mischung {loss} Nats/Token</translation>
    </message>
    <message>
        <source>{words}, {loss} without Active Sleep</source>
        <translation>{words}, {loss} ohne Active Sleep</translation>
    </message>
    <message>
        <source>After {phase}, on {epoch}&apos;s held-out text {mix}</source>
        <translation>Nach {phase}, am Prüftext von {epoch}: {mix}</translation>
    </message>
    <message>
        <source>{epoch} alone has {own}, the backbone alone {backbone}</source>
        <translation>{epoch} allein hat {own}, das Backbone allein {backbone}</translation>
    </message>
    <message>
        <source>The epoch gains nothing over the backbone, so there is nothing to keep</source>
        <translation>Die Epoche gewinnt nichts gegenüber dem Backbone, also gibt es nichts zu behalten</translation>
    </message>
    <message>
        <source>The mix is worse here than the backbone: nothing of the epoch&apos;s gain is kept</source>
        <translation>Die Mischung ist hier schlechter als das Backbone: Vom Gewinn der Epoche bleibt nichts</translation>
    </message>
    <message>
        <source>{share} % of the epoch&apos;s gain over the backbone is kept</source>
        <translation>{share} % vom Gewinn der Epoche gegenüber dem Backbone bleiben</translation>
    </message>
</context>
<context>
    <name>Menus</name>
    <message>
        <source>&amp;Project</source>
        <translation>&amp;Projekt</translation>
    </message>
    <message>
        <source>&amp;New project…</source>
        <translation>&amp;Neues Projekt…</translation>
    </message>
    <message>
        <source>&amp;Open project…</source>
        <translation>Projekt ö&amp;ffnen…</translation>
    </message>
    <message>
        <source>Open a project &amp;file…</source>
        <translation>Projekt&amp;datei öffnen…</translation>
    </message>
    <message>
        <source>Open &amp;recent</source>
        <translation>&amp;Zuletzt geöffnet</translation>
    </message>
    <message>
        <source>&amp;Pin the open project</source>
        <translation>Offenes Projekt an&amp;heften</translation>
    </message>
    <message>
        <source>&amp;Clear the list</source>
        <translation>&amp;Liste leeren</translation>
    </message>
    <message>
        <source>Pinned projects stay in it</source>
        <translation>Angeheftete Projekte bleiben darin</translation>
    </message>
    <message>
        <source>Save &amp;as…</source>
        <translation>Speichern &amp;unter…</translation>
    </message>
    <message>
        <source>Copy the project, and go on in the copy</source>
        <translation>Das Projekt kopieren und in der Kopie weiterarbeiten</translation>
    </message>
    <message>
        <source>&amp;Duplicate…</source>
        <translation>Dupl&amp;izieren…</translation>
    </message>
    <message>
        <source>Copy the project, and stay here</source>
        <translation>Das Projekt kopieren und hier bleiben</translation>
    </message>
    <message>
        <source>&amp;Send as a file…</source>
        <translation>A&amp;ls Datei senden…</translation>
    </message>
    <message>
        <source>Write the project to one file for somebody else</source>
        <translation>Das Projekt für jemand anderen in eine Datei schreiben</translation>
    </message>
    <message>
        <source>&amp;Trash…</source>
        <translation>&amp;Papierkorb…</translation>
    </message>
    <message>
        <source>&amp;Close project</source>
        <translation>Projekt &amp;schließen</translation>
    </message>
    <message>
        <source>&amp;Quit</source>
        <translation>&amp;Beenden</translation>
    </message>
    <message>
        <source>&amp;Epoch</source>
        <translation>&amp;Epoche</translation>
    </message>
    <message>
        <source>&amp;Add epoch…</source>
        <translation>Epoche &amp;hinzufügen…</translation>
    </message>
    <message>
        <source>&amp;Import an adapter…</source>
        <translation>Adapter &amp;importieren…</translation>
    </message>
    <message>
        <source>&amp;Measure all on held-out text</source>
        <translation>Alle am Prüftext &amp;messen</translation>
    </message>
    <message>
        <source>&amp;Where the Time Mixer errs…</source>
        <translation>&amp;Wo der Time Mixer irrt…</translation>
    </message>
    <message>
        <source>Re&amp;store the Time Mixer</source>
        <translation>Den &amp;Time Mixer wiederherstellen</translation>
    </message>
    <message>
        <source>M&amp;erge and export…</source>
        <translation>&amp;Zusammenführen und exportieren…</translation>
    </message>
    <message>
        <source>&amp;Runs…</source>
        <translation>&amp;Läufe…</translation>
    </message>
    <message>
        <source>&amp;Text</source>
        <translation>&amp;Text</translation>
    </message>
    <message>
        <source>&amp;Generate</source>
        <translation>&amp;Erzeugen</translation>
    </message>
    <message>
        <source>&amp;Stop generating</source>
        <translation>Er&amp;zeugen stoppen</translation>
    </message>
    <message>
        <source>&amp;Again with a new seed</source>
        <translation>&amp;Noch einmal mit neuem Seed</translation>
    </message>
    <message>
        <source>Write &amp;more</source>
        <translation>&amp;Mehr schreiben</translation>
    </message>
    <message>
        <source>&amp;Edit the prompt</source>
        <translation>Prompt &amp;ändern</translation>
    </message>
    <message>
        <source>S&amp;weep from slot to slot…</source>
        <translation>&amp;Von Slot zu Slot überblenden…</translation>
    </message>
    <message>
        <source>&amp;Other word at the chosen token…</source>
        <translation>Anderes &amp;Wort am gewählten Token…</translation>
    </message>
    <message>
        <source>Again &amp;from the chosen token</source>
        <translation>&amp;Ab dem gewählten Token noch einmal</translation>
    </message>
    <message>
        <source>Counterfactuals at the chosen &amp;token</source>
        <translation>Kontrafaktisch am gewählten &amp;Token</translation>
    </message>
    <message>
        <source>&amp;Undo</source>
        <translation>&amp;Rückgängig</translation>
    </message>
    <message>
        <source>Re&amp;do</source>
        <translation>Wie&amp;derholen</translation>
    </message>
    <message>
        <source>Fi&amp;nd in the text…</source>
        <translation>Im Text &amp;suchen…</translation>
    </message>
    <message>
        <source>&amp;Copy the text</source>
        <translation>Text &amp;kopieren</translation>
    </message>
    <message>
        <source>Copy with co&amp;lours</source>
        <translation>Mit &amp;Farben kopieren</translation>
    </message>
    <message>
        <source>Copy as Mar&amp;kdown</source>
        <translation>Als Markdown k&amp;opieren</translation>
    </message>
    <message>
        <source>O&amp;pen a saved text…</source>
        <translation>&amp;Gespeicherten Text öffnen…</translation>
    </message>
    <message>
        <source>Sa&amp;ve the text as…</source>
        <translation>Text s&amp;peichern unter…</translation>
    </message>
    <message>
        <source>Mi&amp;x ribbon: smooth, show everything…</source>
        <translation>Mischband: g&amp;lätten, alles zeigen…</translation>
    </message>
    <message>
        <source>Save the mix &amp;ribbon as a picture…</source>
        <translation>Mischband als &amp;Bild speichern…</translation>
    </message>
    <message>
        <source>&amp;View</source>
        <translation>&amp;Ansicht</translation>
    </message>
    <message>
        <source>&amp;Read a text</source>
        <translation>Text &amp;lesen</translation>
    </message>
    <message>
        <source>&amp;Compare</source>
        <translation>&amp;Vergleichen</translation>
    </message>
    <message>
        <source>&amp;Mixer timeline</source>
        <translation>Mixer-Zei&amp;tleiste</translation>
    </message>
    <message>
        <source>&amp;Fold the charts, or unfold them</source>
        <translation>Diagramme ein- oder aus&amp;klappen</translation>
    </message>
    <message>
        <source>&amp;Samples of the training</source>
        <translation>&amp;Proben des Trainings</translation>
    </message>
    <message>
        <source>Re&amp;arrange panels</source>
        <translation>Bereiche &amp;anordnen</translation>
    </message>
    <message>
        <source>Reset &amp;layout</source>
        <translation>Anordnung &amp;zurücksetzen</translation>
    </message>
    <message>
        <source>&amp;Theme</source>
        <translation>&amp;Farbschema</translation>
    </message>
    <message>
        <source>Lang&amp;uage</source>
        <translation>&amp;Sprache</translation>
    </message>
    <message>
        <source>&amp;Help</source>
        <translation>&amp;Hilfe</translation>
    </message>
    <message>
        <source>&amp;Find an action…</source>
        <translation>&amp;Aktion suchen…</translation>
    </message>
    <message>
        <source>&amp;Keyboard shortcuts</source>
        <translation>&amp;Tastenkürzel</translation>
    </message>
    <message>
        <source>Play the &amp;demo</source>
        <translation>&amp;Demo abspielen</translation>
    </message>
    <message>
        <source>Show the &amp;log…</source>
        <translation>Pr&amp;otokoll zeigen…</translation>
    </message>
    <message>
        <source>Diagnostic &amp;report…</source>
        <translation>Diagnoseber&amp;icht…</translation>
    </message>
    <message>
        <source>&amp;About</source>
        <translation>Ü&amp;ber</translation>
    </message>
    <message>
        <source>As the &amp;system</source>
        <translation>Wie das &amp;System</translation>
    </message>
    <message>
        <source>&amp;Light</source>
        <translation>&amp;Hell</translation>
    </message>
    <message>
        <source>&amp;Dark</source>
        <translation>&amp;Dunkel</translation>
    </message>
</context>
<context>
    <name>MergeDialog</name>
    <message>
        <source>Merge and export</source>
        <translation>Zusammenführen und exportieren</translation>
    </message>
    <message>
        <source>What to write</source>
        <translation>Was geschrieben wird</translation>
    </message>
    <message>
        <source>What becomes of the chosen epochs</source>
        <translation>Was aus den gewählten Epochen wird</translation>
    </message>
    <message>
        <source>PEFT adapter</source>
        <translation>PEFT-Adapter</translation>
    </message>
    <message>
        <source>GGUF adapter</source>
        <translation>GGUF-Adapter</translation>
    </message>
    <message>
        <source>Whole model</source>
        <translation>Ganzes Modell</translation>
    </message>
    <message>
        <source>&amp;Compress to rank</source>
        <translation>Auf &amp;Rang verkleinern</translation>
    </message>
    <message>
        <source>Smaller and no longer exact; how much is lost is told when it is written</source>
        <translation>Kleiner und nicht mehr exakt; wie viel verloren geht, steht nach dem Schreiben da</translation>
    </message>
    <message>
        <source>Rank</source>
        <translation>Rang</translation>
    </message>
    <message>
        <source>Give at least one epoch a weight.</source>
        <translation>Mindestens einer Epoche ein Gewicht geben.</translation>
    </message>
    <message>
        <source>Choose where…</source>
        <translation>Ort wählen…</translation>
    </message>
    <message>
        <source>Cancel</source>
        <translation>Abbrechen</translation>
    </message>
    <message>
        <source>These weights hold at every token: the Time Mixer is not part of what is written.</source>
        <translation>Diese Gewichte gelten an jedem Token: Der Time Mixer ist nicht Teil des Geschriebenen.</translation>
    </message>
    <message>
        <source>Weights</source>
        <translation>Gewichte</translation>
    </message>
    <message>
        <source>&amp;Write</source>
        <translation>&amp;Schreiben</translation>
    </message>
    <message>
        <source>Weight of {name}</source>
        <translation>Gewicht von {name}</translation>
    </message>
    <message>
        <source>0 leaves this epoch out</source>
        <translation>0 lässt diese Epoche aus</translation>
    </message>
    <message>
        <source>A folder that peft.PeftModel.from_pretrained opens over the same backbone.</source>
        <translation>Ein Ordner, den peft.PeftModel.from_pretrained über demselben Backbone öffnet.</translation>
    </message>
    <message>
        <source>A file for llama.cpp, Ollama and LM Studio, beside the backbone&apos;s .gguf file.</source>
        <translation>Eine Datei für llama.cpp, Ollama und LM Studio, neben der .gguf-Datei des Backbones.</translation>
    </message>
    <message>
        <source>A folder that transformers opens: the backbone with the epochs in its weights.</source>
        <translation>Ein Ordner, den transformers öffnet: das Backbone mit den Epochen in seinen Gewichten.</translation>
    </message>
    <message>
        <source>Save the GGUF adapter</source>
        <translation>GGUF-Adapter speichern</translation>
    </message>
    <message>
        <source>Folder for the merged epochs</source>
        <translation>Ordner für die zusammengeführten Epochen</translation>
    </message>
</context>
<context>
    <name>MetricStrip</name>
    <message>
        <source>Metrics</source>
        <translation>Kennzahlen</translation>
    </message>
    <message>
        <source>Known from the second epoch on.</source>
        <translation>Ab der zweiten Epoche bekannt.</translation>
    </message>
    <message>
        <source>Choose Epoch &gt; Measure all on held-out text; any later training clears it.</source>
        <translation>Epoche &gt; Alle am Prüftext messen wählen; jedes spätere Training löscht den Wert.</translation>
    </message>
    <message>
        <source>AA</source>
        <translation>AA</translation>
    </message>
    <message>
        <source>How often the mixer gives a held-out token to its own epoch after the last finished phase, mean of all epochs, in points of 100.</source>
        <translation>Wie oft der Mixer nach der letzten abgeschlossenen Phase ein Prüftext-Token seiner eigenen Epoche gibt, Mittel aller Epochen, in Punkten von 100.</translation>
    </message>
    <message>
        <source>Known once the first epoch is trained.</source>
        <translation>Bekannt, sobald die erste Epoche trainiert ist.</translation>
    </message>
    <message>
        <source>BWT</source>
        <translation>BWT</translation>
    </message>
    <message>
        <source>How far routing of the earlier epochs has moved since each was learned, in points of 100; below 0 is forgetting.</source>
        <translation>Wie weit sich das Routing der früheren Epochen verschoben hat, seit jede gelernt wurde, in Punkten von 100; unter 0 ist Vergessen.</translation>
    </message>
    <message>
        <source>F</source>
        <translation>F</translation>
    </message>
    <message>
        <source>Forgetting: how far routing of the earlier epochs has fallen from its best, in points of 100.</source>
        <translation>Vergessen: wie weit das Routing der früheren Epochen von seinem Bestwert gefallen ist, in Punkten von 100.</translation>
    </message>
    <message>
        <source>Gain kept</source>
        <translation>Gewinn behalten</translation>
    </message>
    <message>
        <source>How much of an epoch&apos;s gain over the backbone the mix keeps, for the epoch that keeps least.</source>
        <translation>Wie viel vom Gewinn einer Epoche gegenüber dem Backbone die Mischung behält, für die Epoche, die am wenigsten behält.</translation>
    </message>
    <message>
        <source>Known once an epoch&apos;s training has ended; in older projects choose Epoch &gt; Measure all on held-out text.</source>
        <translation>Bekannt, sobald das Training einer Epoche beendet ist; in älteren Projekten Epoche &gt; Alle am Prüftext messen wählen.</translation>
    </message>
    <message>
        <source>Least is kept of {epoch}.</source>
        <translation>Am wenigsten bleibt von {epoch}.</translation>
    </message>
    <message>
        <source>Cost</source>
        <translation>Kosten</translation>
    </message>
    <message>
        <source>Plasticity: what Active Sleep costs the newest epoch, as a share of its gain.</source>
        <translation>Plastizität: was Active Sleep die neueste Epoche kostet, als Anteil ihres Gewinns.</translation>
    </message>
    <message>
        <source>Known from the second epoch on, if it is trained with the comparison without Active Sleep.</source>
        <translation>Ab der zweiten Epoche bekannt, wenn sie mit dem Vergleich ohne Active Sleep trainiert wird.</translation>
    </message>
    <message>
        <source>The newest epoch is {epoch}.</source>
        <translation>Die neueste Epoche ist {epoch}.</translation>
    </message>
    <message>
        <source>Lag</source>
        <translation>Verzug</translation>
    </message>
    <message>
        <source>How many tokens the mixer takes to find the right epoch where the text changes to another&apos;s.</source>
        <translation>Wie viele Tokens der Mixer braucht, um die richtige Epoche zu finden, wo der Text zu einer anderen wechselt.</translation>
    </message>
    <message>
        <source>Slot 0</source>
        <translation>Slot 0</translation>
    </message>
    <message>
        <source>How much of an epoch&apos;s text the backbone would get if the epoch were not there, mean of all epochs: what becomes of text that no epoch knows.</source>
        <translation>Wie viel vom Text einer Epoche das Backbone bekäme, wenn es die Epoche nicht gäbe, Mittel über alle Epochen: was aus Text wird, den keine Epoche kennt.</translation>
    </message>
    <message>
        <source>ECE</source>
        <translation>ECE</translation>
    </message>
    <message>
        <source>How far the mixer&apos;s weights are from how often they are right; 0 is perfect.</source>
        <translation>Wie weit die Gewichte des Mixers davon entfernt sind, wie oft sie stimmen; 0 ist vollkommen.</translation>
    </message>
    <message>
        <source>{figure} in brackets: had the last phase been trained without Active Sleep. Only its row of R is of the mixer without it, trained beside from the protected mixer; the rows before are the protected ones.</source>
        <translation>{figure} in Klammern: wäre die letzte Phase ohne Active Sleep trainiert worden. Nur ihre Zeile von R ist vom Mixer ohne Active Sleep, der vom geschützten aus daneben trainiert wurde; die Zeilen davor sind die geschützten.</translation>
    </message>
    <message>
        <source>Formula: {formula}</source>
        <translation>Formel: {formula}</translation>
    </message>
</context>
<context>
    <name>MisroutedControl</name>
    <message>
        <source>The stretches of held-out text that go to another epoch than their own</source>
        <translation>Die Stellen des Prüftexts, die an eine andere Epoche als ihre eigene gehen</translation>
    </message>
    <message>
        <source>Possible once all is measured on held-out text</source>
        <translation>Möglich, sobald alles auf Prüftext gemessen ist</translation>
    </message>
</context>
<context>
    <name>MisroutedDialog</name>
    <message>
        <source>Where the Time Mixer errs</source>
        <translation>Wo der Time Mixer irrt</translation>
    </message>
    <message>
        <source>Text of</source>
        <translation>Text von</translation>
    </message>
    <message>
        <source>goes to</source>
        <translation>geht an</translation>
    </message>
    <message>
        <source>Tokens</source>
        <translation>Tokens</translation>
    </message>
    <message>
        <source>Text</source>
        <translation>Text</translation>
    </message>
    <message>
        <source>Misrouted text</source>
        <translation>Fehlgeleiteter Text</translation>
    </message>
    <message>
        <source>The chosen text</source>
        <translation>Der gewählte Text</translation>
    </message>
    <message>
        <source>Of the text kept aside from training, what goes to another epoch than its own, the worst first.</source>
        <translation>Vom Text, der dem Training vorenthalten war, was an eine andere Epoche als die eigene geht, das Schlimmste zuerst.</translation>
    </message>
</context>
<context>
    <name>MixBox</name>
    <message>
        <source>Mix of this token</source>
        <translation>Mischung dieses Tokens</translation>
    </message>
    <message>
        <source>Why this mix</source>
        <translation>Warum diese Mischung</translation>
    </message>
    <message>
        <source>Why {name}, not {rival}</source>
        <translation>Warum {name}, nicht {rival}</translation>
    </message>
    <message>
        <source>this word</source>
        <translation>dieses Wort</translation>
    </message>
    <message>
        <source>last word</source>
        <translation>letztes Wort</translation>
    </message>
</context>
<context>
    <name>MixRibbon</name>
    <message>
        <source>Mix over the text</source>
        <translation>Mischung über den Text</translation>
    </message>
    <message>
        <source>Share of each slot from 0 to 1, token by token. Shift+drag selects text, drag pans, Ctrl+wheel zooms, double-click shows everything.</source>
        <translation>Anteil jedes Slots von 0 bis 1, Token für Token. Umschalt+Ziehen wählt Text aus, Ziehen verschiebt, Strg+Rad zoomt, Doppelklick zeigt alles.</translation>
    </message>
</context>
<context>
    <name>MixingDeskPanel</name>
    <message>
        <source>Mixing desk</source>
        <translation>Mischpult</translation>
    </message>
    <message>
        <source>Reset</source>
        <translation>Zurücksetzen</translation>
    </message>
    <message>
        <source>Reset the mixing desk</source>
        <translation>Mischpult zurücksetzen</translation>
    </message>
    <message>
        <source>Leave the Time Mixer&apos;s weights alone again</source>
        <translation>Die Gewichte des Time Mixers wieder in Ruhe lassen</translation>
    </message>
    <message>
        <source>Time Mixer</source>
        <translation>Time Mixer</translation>
    </message>
    <message>
        <source>The Time Mixer decides; mute and solo still work</source>
        <translation>Der Time Mixer entscheidet; stumm und solo gehen weiterhin</translation>
    </message>
    <message>
        <source>Manual</source>
        <translation>Manuell</translation>
    </message>
    <message>
        <source>The levels are the mix, the same in every token</source>
        <translation>Die Pegel sind die Mischung, in jedem Token dieselbe</translation>
    </message>
    <message>
        <source>× Gain</source>
        <translation>× Pegel</translation>
    </message>
    <message>
        <source>The Time Mixer&apos;s weights times the levels</source>
        <translation>Die Gewichte des Time Mixers mal die Pegel</translation>
    </message>
    <message>
        <source>Only the Time Mixer can be turned; choose it as mode.</source>
        <translation>Nur der Time Mixer lässt sich verstellen; ihn als Modus wählen.</translation>
    </message>
    <message>
        <source>Open a project: every epoch gets its own slider here.</source>
        <translation>Ein Projekt öffnen: Jede Epoche bekommt hier ihren Regler.</translation>
    </message>
    <message>
        <source>Nothing is left: the backbone speaks.</source>
        <translation>Nichts bleibt übrig: Das Backbone spricht.</translation>
    </message>
    <message>
        <source>Changes apply to the next token and are recorded with it.</source>
        <translation>Änderungen gelten ab dem nächsten Token und werden mit ihm aufgezeichnet.</translation>
    </message>
</context>
<context>
    <name>NewEpochDialog</name>
    <message>
        <source>New epoch</source>
        <translation>Neue Epoche</translation>
    </message>
    <message>
        <source>Change a waiting epoch</source>
        <translation>Wartende Epoche ändern</translation>
    </message>
    <message>
        <source>Apply</source>
        <translation>Übernehmen</translation>
    </message>
    <message>
        <source>Keep its place in the queue, and train it like this</source>
        <translation>Der Platz in der Warteschlange bleibt; trainiert wird dann so</translation>
    </message>
    <message>
        <source>{name} is interrupted and can no longer go on once another epoch is trained.</source>
        <translation>{name} ist unterbrochen und lässt sich nicht mehr fortsetzen, sobald eine andere Epoche trainiert ist.</translation>
    </message>
    <message>
        <source>Name of the epoch, and of its adapter</source>
        <translation>Name der Epoche und ihres Adapters</translation>
    </message>
    <message>
        <source>such as Renaissance era</source>
        <translation>etwa Renaissance</translation>
    </message>
    <message>
        <source>The time or the kind of text, in your words; can stay empty</source>
        <translation>Die Zeit oder die Art des Texts, in eigenen Worten; darf leer bleiben</translation>
    </message>
    <message>
        <source>Name of the epoch</source>
        <translation>Name der Epoche</translation>
    </message>
    <message>
        <source>Era of the epoch</source>
        <translation>Ära der Epoche</translation>
    </message>
    <message>
        <source>One epoch of &amp;all</source>
        <translation>Eine Epo&amp;che aus allem</translation>
    </message>
    <message>
        <source>Train one epoch on all these files and folders together</source>
        <translation>Eine einzige Epoche auf all diesen Dateien und Ordnern trainieren</translation>
    </message>
    <message>
        <source>One epoch eac&amp;h</source>
        <translation>&amp;Je eine Epoche</translation>
    </message>
    <message>
        <source>Train one epoch after another, each on one of these files and folders</source>
        <translation>Eine Epoche nach der anderen trainieren, jede auf einer dieser Dateien oder einem dieser Ordner</translation>
    </message>
    <message>
        <source>&amp;Name</source>
        <translation>&amp;Name</translation>
    </message>
    <message>
        <source>{n} tokens to train on</source>
        <translation>{n} Tokens für das Training</translation>
    </message>
    <message>
        <source>looking…</source>
        <translation>wird durchgesehen…</translation>
    </message>
    <message>
        <source>1 epoch</source>
        <translation>1 Epoche</translation>
    </message>
    <message>
        <source>{count} epochs</source>
        <translation>{count} Epochen</translation>
    </message>
    <message>
        <source>Too little text for blocks of {size} tokens: choose smaller ones under Advanced.</source>
        <translation>Zu wenig Text für Blöcke von {size} Tokens: kleinere unter „Erweitert“ wählen.</translation>
    </message>
    <message>
        <source>{n} tokens</source>
        <translation>{n} Tokens</translation>
    </message>
    <message>
        <source>{n} of {whole} tokens</source>
        <translation>{n} von {whole} Tokens</translation>
    </message>
    <message>
        <source>{tokens}, {passes} times</source>
        <translation>{tokens}, {passes}-mal</translation>
    </message>
    <message>
        <source>1 step</source>
        <translation>1 Schritt</translation>
    </message>
    <message>
        <source>{n} steps</source>
        <translation>{n} Schritte</translation>
    </message>
    <message>
        <source>about {duration}</source>
        <translation>etwa {duration}</translation>
    </message>
    <message>
        <source>about {duration} at {speed} tokens/s</source>
        <translation>etwa {duration} bei {speed} Tokens/s</translation>
    </message>
    <message>
        <source>measured when the machine is free</source>
        <translation>gemessen, sobald der Rechner frei ist</translation>
    </message>
    <message>
        <source>measuring…</source>
        <translation>wird gemessen…</translation>
    </message>
    <message>
        <source>Too little memory: {memory} are needed, {free} are free. {mend}</source>
        <translation>Zu wenig Speicher: {memory} nötig, {free} frei. {mend}</translation>
    </message>
    <message>
        <source>Lower the batch size.</source>
        <translation>Die Batchgröße verringern.</translation>
    </message>
    <message>
        <source>Lower the block size, or choose one pass.</source>
        <translation>Die Blockgröße verringern oder nur einen Durchgang wählen.</translation>
    </message>
    <message>
        <source>&amp;Era</source>
        <translation>&amp;Ära</translation>
    </message>
    <message>
        <source>&amp;Colour</source>
        <translation>&amp;Farbe</translation>
    </message>
    <message>
        <source>Text</source>
        <translation>Text</translation>
    </message>
    <message>
        <source>Epoch</source>
        <translation>Epoche</translation>
    </message>
    <message>
        <source>Cancel</source>
        <translation>Abbrechen</translation>
    </message>
    <message>
        <source>Close without training</source>
        <translation>Ohne Training schließen</translation>
    </message>
    <message>
        <source>Start training</source>
        <translation>Training starten</translation>
    </message>
    <message>
        <source>Train this epoch now, or after the one that is in training</source>
        <translation>Diese Epoche jetzt trainieren, oder nach der, die im Training ist</translation>
    </message>
    <message>
        <source>needs {memory}, {free} free</source>
        <translation>braucht {memory}, {free} frei</translation>
    </message>
    <message>
        <source>Discard this new epoch?</source>
        <translation>Diese neue Epoche verwerfen?</translation>
    </message>
    <message>
        <source>What you have entered here would be lost.</source>
        <translation>Die Eingaben hier gingen verloren.</translation>
    </message>
    <message>
        <source>Discard</source>
        <translation>Verwerfen</translation>
    </message>
    <message>
        <source>Go on editing</source>
        <translation>Weiter bearbeiten</translation>
    </message>
    <message>
        <source>{name} is no text to train on, but a project, a model or a saved text.</source>
        <translation>{name} ist kein Trainingstext, sondern ein Projekt, ein Modell oder ein gespeicherter Text.</translation>
    </message>
</context>
<context>
    <name>PaneHeader</name>
    <message>
        <source>Mode: the Time Mixer, or one slot alone</source>
        <translation>Modus: der Time Mixer oder ein Slot allein</translation>
    </message>
    <message>
        <source>Colour</source>
        <translation>Farbe</translation>
    </message>
    <message>
        <source>What the colour of a token means</source>
        <translation>Was die Farbe eines Tokens bedeutet</translation>
    </message>
    <message>
        <source>Mode</source>
        <translation>Modus</translation>
    </message>
    <message>
        <source>Mode:</source>
        <translation>Modus:</translation>
    </message>
    <message>
        <source>Colour:</source>
        <translation>Farbe:</translation>
    </message>
    <message>
        <source>Generate</source>
        <translation>Erzeugen</translation>
    </message>
    <message>
        <source>Continue a prompt</source>
        <translation>Einen Prompt fortsetzen</translation>
    </message>
    <message>
        <source>Read</source>
        <translation>Lesen</translation>
    </message>
    <message>
        <source>Colour any text without generating</source>
        <translation>Beliebigen Text einfärben, ohne zu erzeugen</translation>
    </message>
    <message>
        <source>Compare</source>
        <translation>Vergleichen</translation>
    </message>
    <message>
        <source>One prompt and seed, several modes side by side</source>
        <translation>Ein Prompt und Seed, mehrere Modi nebeneinander</translation>
    </message>
    <message>
        <source>dominant epoch</source>
        <translation>stärkste Epoche</translation>
    </message>
    <message>
        <source>probability</source>
        <translation>Wahrscheinlichkeit</translation>
    </message>
    <message>
        <source>surprise</source>
        <translation>Überraschung</translation>
    </message>
    <message>
        <source>entropy of the mix</source>
        <translation>Entropie der Mischung</translation>
    </message>
    <message>
        <source>weight of {name}</source>
        <translation>Gewicht von {name}</translation>
    </message>
</context>
<context>
    <name>PendingCard</name>
    <message>
        <source>Change this epoch</source>
        <translation>Diese Epoche ändern</translation>
    </message>
    <message>
        <source>Change what waits: text and settings</source>
        <translation>Ändern, was wartet: Text und Einstellungen</translation>
    </message>
    <message>
        <source>Remove from the queue</source>
        <translation>Aus der Warteschlange nehmen</translation>
    </message>
    <message>
        <source>Don&apos;t train this epoch</source>
        <translation>Diese Epoche nicht trainieren</translation>
    </message>
    <message>
        <source>place {n}</source>
        <translation>Platz {n}</translation>
    </message>
    <message>
        <source>queued</source>
        <translation>wartet</translation>
    </message>
    <message>
        <source>Remove {name} from the queue</source>
        <translation>{name} aus der Warteschlange nehmen</translation>
    </message>
    <message>
        <source>Change {name}</source>
        <translation>{name} ändern</translation>
    </message>
    <message>
        <source>Drag it, or press Alt+Up or Alt+Down, for another place in the queue</source>
        <translation>Für einen anderen Platz in der Warteschlange ziehen oder Alt+↑ oder Alt+↓ drücken</translation>
    </message>
    <message>
        <source>new epoch</source>
        <translation>neue Epoche</translation>
    </message>
    <message>
        <source>preparing</source>
        <translation>wird vorbereitet</translation>
    </message>
</context>
<context>
    <name>ProgressControl</name>
    <message>
        <source>Finishing</source>
        <translation>Wird abgeschlossen</translation>
    </message>
</context>
<context>
    <name>ProgressLine</name>
    <message>
        <source>Progress</source>
        <translation>Fortschritt</translation>
    </message>
    <message>
        <source>Cancel</source>
        <translation>Abbrechen</translation>
    </message>
    <message>
        <source>Cancel this work</source>
        <translation>Diese Arbeit abbrechen</translation>
    </message>
    <message>
        <source>Stop this work and leave things as they were</source>
        <translation>Diese Arbeit stoppen und alles lassen, wie es war</translation>
    </message>
    <message>
        <source>{time} left</source>
        <translation>noch {time}</translation>
    </message>
</context>
<context>
    <name>ProjectControl</name>
    <message>
        <source>{project} was being opened when the window last ended.</source>
        <translation>{project} wurde gerade geöffnet, als das Fenster zuletzt endete.</translation>
    </message>
    <message>
        <source>It is not opened by itself this time.</source>
        <translation>Diesmal wird es nicht von selbst geöffnet.</translation>
    </message>
    <message>
        <source>tlora-gui ended unexpectedly the last time.</source>
        <translation>tlora-gui endete beim letzten Mal unerwartet.</translation>
    </message>
    <message>
        <source>What was stored is whole. If it happens again, start it with --safe and save a report (Help).</source>
        <translation>Gespeichertes ist unversehrt. Falls es wieder geschieht: mit --safe starten und einen Bericht speichern (Hilfe).</translation>
    </message>
    <message>
        <source>Folder for the project</source>
        <translation>Ordner für das Projekt</translation>
    </message>
    <message>
        <source>It becomes the folder {folder}. What is in it is looked at first, and nothing of it is run.</source>
        <translation>Daraus wird der Ordner {folder}. Der Inhalt wird zuerst geprüft, und nichts davon wird ausgeführt.</translation>
    </message>
    <message>
        <source>The project that is open here is closed for it; nothing of it is lost.</source>
        <translation>Das hier offene Projekt wird dafür geschlossen; nichts davon geht verloren.</translation>
    </message>
    <message>
        <source>Open {name}?</source>
        <translation>{name} öffnen?</translation>
    </message>
    <message>
        <source>Open it</source>
        <translation>Öffnen</translation>
    </message>
    <message>
        <source>In another folder…</source>
        <translation>In einem anderen Ordner…</translation>
    </message>
    <message>
        <source>Projects in one file</source>
        <translation>Projekte in einer Datei</translation>
    </message>
    <message>
        <source>Open a project file</source>
        <translation>Projektdatei öffnen</translation>
    </message>
    <message>
        <source>An epoch is in training here.</source>
        <translation>Hier ist eine Epoche im Training.</translation>
    </message>
    <message>
        <source>Stop it before going to another project.</source>
        <translation>Sie vor dem Wechsel in ein anderes Projekt stoppen.</translation>
    </message>
    <message>
        <source>Starting the engine</source>
        <translation>Die Engine startet</translation>
    </message>
    <message>
        <source>{name} is not followed any more.</source>
        <translation>{name} wird nicht mehr mitverfolgt.</translation>
    </message>
    <message>
        <source>Open</source>
        <translation>Öffnen</translation>
    </message>
    <message>
        <source>Where is it now?</source>
        <translation>Wo ist es jetzt?</translation>
    </message>
    <message>
        <source>Follow</source>
        <translation>Mitverfolgen</translation>
    </message>
    <message>
        <source>Where is the backbone now?</source>
        <translation>Wo ist das Backbone jetzt?</translation>
    </message>
    <message>
        <source>Models (*.gguf)</source>
        <translation>Modelle (*.gguf)</translation>
    </message>
    <message>
        <source>Model folder…</source>
        <translation>Modellordner…</translation>
    </message>
    <message>
        <source>A .gguf file…</source>
        <translation>Eine .gguf-Datei…</translation>
    </message>
    <message>
        <source>Its weights tell whether it is the same.</source>
        <translation>Seine Gewichte zeigen, ob es dasselbe ist.</translation>
    </message>
    <message>
        <source>Cancel</source>
        <translation>Abbrechen</translation>
    </message>
</context>
<context>
    <name>PromptBar</name>
    <message>
        <source>Stop</source>
        <translation>Stoppen</translation>
    </message>
    <message>
        <source>Stop generating</source>
        <translation>Erzeugen stoppen</translation>
    </message>
    <message>
        <source>Stop after the current token and keep the text</source>
        <translation>Nach dem laufenden Token stoppen und den Text behalten</translation>
    </message>
    <message>
        <source>Sampling</source>
        <translation>Sampling</translation>
    </message>
    <message>
        <source>Temperature, top-k, top-p, repetition penalty, max new tokens, seed</source>
        <translation>Temperatur, Top-k, Top-p, Wiederholungsstrafe, neue Tokens, Seed</translation>
    </message>
    <message>
        <source>Open file…</source>
        <translation>Datei öffnen…</translation>
    </message>
    <message>
        <source>Read a text file instead of what is typed here</source>
        <translation>Eine Textdatei lesen statt dessen, was hier steht</translation>
    </message>
    <message>
        <source>Prompt</source>
        <translation>Prompt</translation>
    </message>
    <message>
        <source>Generate</source>
        <translation>Erzeugen</translation>
    </message>
    <message>
        <source>The text to continue</source>
        <translation>Der Text, der fortgesetzt wird</translation>
    </message>
    <message>
        <source>Type the beginning of a text, for example: To code or not to code</source>
        <translation>Den Anfang eines Texts eingeben, zum Beispiel: To code or not to code</translation>
    </message>
    <message>
        <source>Read</source>
        <translation>Lesen</translation>
    </message>
    <message>
        <source>The text to colour as it is, without generating</source>
        <translation>Der Text, der eingefärbt wird, wie er ist, ohne zu erzeugen</translation>
    </message>
    <message>
        <source>Paste any text: a .py file with Shakespearean comments, say</source>
        <translation>Beliebigen Text einfügen: etwa eine .py-Datei mit Kommentaren à la Shakespeare</translation>
    </message>
    <message>
        <source>Compare</source>
        <translation>Vergleichen</translation>
    </message>
    <message>
        <source>The text that every column continues, with the same seed</source>
        <translation>Der Text, den jede Spalte fortsetzt, mit demselben Seed</translation>
    </message>
    <message>
        <source>Type the beginning of a text; every column continues it</source>
        <translation>Den Anfang eines Texts eingeben; jede Spalte setzt ihn fort</translation>
    </message>
    <message>
        <source>Continue the prompt</source>
        <translation>Den Prompt fortsetzen</translation>
    </message>
    <message>
        <source>Colour this text by who would speak, and measure it</source>
        <translation>Diesen Text danach einfärben, wer sprechen würde, und ihn messen</translation>
    </message>
    <message>
        <source>Continue the prompt once in every column</source>
        <translation>Den Prompt in jeder Spalte einmal fortsetzen</translation>
    </message>
</context>
<context>
    <name>ReadReportView</name>
    <message>
        <source>Mix</source>
        <translation>Mischung</translation>
    </message>
    <message>
        <source>{count} characters at the end were not read: the backbone&apos;s context is full</source>
        <translation>{count} Zeichen am Ende wurden nicht gelesen: Der Kontext des Backbones ist voll</translation>
    </message>
    <message>
        <source>Nothing read</source>
        <translation>Nichts gelesen</translation>
    </message>
    <message>
        <source>1 segment found</source>
        <translation>1 Segment gefunden</translation>
    </message>
    <message>
        <source>{count} segments found</source>
        <translation>{count} Segmente gefunden</translation>
    </message>
    <message>
        <source>{segments} · perplexity {perplexity} with the mix</source>
        <translation>{segments} · Perplexität {perplexity} mit der Mischung</translation>
    </message>
</context>
<context>
    <name>ReadingBox</name>
    <message>
        <source>Only files</source>
        <translation>Dateiauswahl</translation>
    </message>
    <message>
        <source>all</source>
        <translation>alle</translation>
    </message>
    <message>
        <source>Patterns as in a .gitignore, separated by semicolons, such as *.md; docs/. Empty reads all.</source>
        <translation>Muster wie in einer .gitignore, durch Semikolons getrennt, etwa *.md; docs/. Leer heißt alle.</translation>
    </message>
    <message>
        <source>Without files</source>
        <translation>Ohne Dateien</translation>
    </message>
    <message>
        <source>none</source>
        <translation>keine</translation>
    </message>
    <message>
        <source>Patterns of files and folders that are not read, separated by semicolons. Empty leaves none out.</source>
        <translation>Muster von Dateien und Ordnern, die nicht gelesen werden, durch Semikolons getrennt. Leer nimmt keine aus.</translation>
    </message>
    <message>
        <source>Text column</source>
        <translation>Textspalte</translation>
    </message>
    <message>
        <source>found by itself</source>
        <translation>wird gesucht</translation>
    </message>
    <message>
        <source>Column of the text in tables. Empty looks for it.</source>
        <translation>Spalte mit dem Text in Tabellen. Leer heißt: suchen.</translation>
    </message>
    <message>
        <source>Only f&amp;iles</source>
        <translation>Dateiaus&amp;wahl</translation>
    </message>
    <message>
        <source>&amp;Without files</source>
        <translation>O&amp;hne Dateien</translation>
    </message>
    <message>
        <source>Text col&amp;umn</source>
        <translation>Te&amp;xtspalte</translation>
    </message>
</context>
<context>
    <name>ReasonRows</name>
    <message>
        <source>earlier text</source>
        <translation>Text davor</translation>
    </message>
    <message>
        <source>context</source>
        <translation>Umgebung</translation>
    </message>
    <message>
        <source>{bits} bits</source>
        <translation>{bits} Bit</translation>
    </message>
    <message>
        <source>{reason}: {bits} bits for {name}</source>
        <translation>{reason}: {bits} Bit für {name}</translation>
    </message>
    <message>
        <source>Each bit more doubles the odds of {name} against {rival}; the bars add up</source>
        <translation>Jedes Bit mehr verdoppelt das Verhältnis von {name} zu {rival}; die Balken addieren sich</translation>
    </message>
</context>
<context>
    <name>RecentControl</name>
    <message>
        <source>Its drive does not answer.</source>
        <translation>Das Laufwerk antwortet nicht.</translation>
    </message>
    <message>
        <source>It is not there now.</source>
        <translation>Es ist gerade nicht da.</translation>
    </message>
</context>
<context>
    <name>RecentList</name>
    <message>
        <source>Open {name}</source>
        <translation>{name} öffnen</translation>
    </message>
    <message>
        <source>Unpin {name}</source>
        <translation>{name} lösen</translation>
    </message>
    <message>
        <source>Pin {name}: it stays on top of the list</source>
        <translation>{name} anheften: bleibt oben in der Liste</translation>
    </message>
    <message>
        <source>Take {name} out of the list</source>
        <translation>{name} aus der Liste nehmen</translation>
    </message>
</context>
<context>
    <name>RepairControl</name>
    <message>
        <source>Restoring makes that one current; what it does not know is learned from memories.</source>
        <translation>Wiederherstellen macht diesen zum aktuellen; was er nicht kennt, wird aus den Gedächtnissen gelernt.</translation>
    </message>
    <message>
        <source>Restore it</source>
        <translation>Wiederherstellen</translation>
    </message>
    <message>
        <source>{name}: {note}.</source>
        <translation>{name}: {note}.</translation>
    </message>
    <message>
        <source>{name}: {note}. Other epochs can be repaired too; see their rows.</source>
        <translation>{name}: {note}. Auch andere Epochen lassen sich reparieren, siehe ihre Zeilen.</translation>
    </message>
    <message>
        <source>Repair</source>
        <translation>Reparieren</translation>
    </message>
    <message>
        <source>{name} has its memory again.</source>
        <translation>{name} hat ihr Gedächtnis wieder.</translation>
    </message>
    <message>
        <source>The Time Mixer is restored.</source>
        <translation>Der Time Mixer ist wiederhergestellt.</translation>
    </message>
</context>
<context>
    <name>RibbonMenu</name>
    <message>
        <source>Smooth</source>
        <translation>Glätten</translation>
    </message>
    <message>
        <source>Over {count} tokens</source>
        <translation>Über {count} Tokens</translation>
    </message>
    <message>
        <source>Not at all</source>
        <translation>Gar nicht</translation>
    </message>
    <message>
        <source>Show everything</source>
        <translation>Alles zeigen</translation>
    </message>
    <message>
        <source>Save as picture…</source>
        <translation>Als Bild speichern…</translation>
    </message>
</context>
<context>
    <name>RunsControl</name>
    <message>
        <source>delete run {number}</source>
        <translation>Lauf {number} löschen</translation>
    </message>
    <message>
        <source>delete {count} runs</source>
        <translation>{count} Läufe löschen</translation>
    </message>
</context>
<context>
    <name>RunsDialog</name>
    <message>
        <source>Runs</source>
        <translation>Läufe</translation>
    </message>
    <message>
        <source>Choose two or more runs with Ctrl or Shift to compare them</source>
        <translation>Zum Vergleichen mit Strg oder Umschalt zwei oder mehr Läufe wählen</translation>
    </message>
    <message>
        <source>Curve</source>
        <translation>Kurve</translation>
    </message>
    <message>
        <source>Choose what this chart shows</source>
        <translation>Wählen, was dieses Diagramm zeigt</translation>
    </message>
    <message>
        <source>What differs between the runs</source>
        <translation>Was die Läufe unterscheidet</translation>
    </message>
    <message>
        <source>Delete…</source>
        <translation>Löschen…</translation>
    </message>
    <message>
        <source>Take the chosen runs out of this list; their epochs stay</source>
        <translation>Die gewählten Läufe aus der Liste nehmen; ihre Epochen bleiben</translation>
    </message>
    <message>
        <source>Run again…</source>
        <translation>Noch einmal…</translation>
    </message>
    <message>
        <source>Open “New epoch” with the settings and the text of the chosen run</source>
        <translation>„Neue Epoche“ mit Einstellungen und Text des gewählten Laufs öffnen</translation>
    </message>
    <message>
        <source>Close</source>
        <translation>Schließen</translation>
    </message>
    <message>
        <source>Close this page</source>
        <translation>Diese Seite schließen</translation>
    </message>
    <message>
        <source>Curves and settings lie in the trash until it is emptied; the epochs stay.</source>
        <translation>Kurven und Einstellungen liegen im Papierkorb, bis er geleert wird; die Epochen bleiben.</translation>
    </message>
    <message>
        <source>Every training from now on is listed here, however it ends.</source>
        <translation>Jedes Training steht von jetzt an hier, wie immer es endet.</translation>
    </message>
    <message>
        <source>The newest {limit} runs are kept; older ones are dropped.</source>
        <translation>Die neuesten {limit} Läufe bleiben; ältere fallen weg.</translation>
    </message>
    <message>
        <source>What differs</source>
        <translation>Unterschiede</translation>
    </message>
    <message>
        <source>Details</source>
        <translation>Details</translation>
    </message>
    <message>
        <source>Choose runs to see their curves</source>
        <translation>Läufe wählen, um ihre Kurven zu sehen</translation>
    </message>
    <message>
        <source>train</source>
        <translation>Training</translation>
    </message>
    <message>
        <source>held-out</source>
        <translation>Prüftext</translation>
    </message>
    <message>
        <source>kept</source>
        <translation>behalten</translation>
    </message>
    <message>
        <source>Loading…</source>
        <translation>Wird geladen…</translation>
    </message>
    <message>
        <source>Nothing was measured.</source>
        <translation>Es wurde nichts gemessen.</translation>
    </message>
    <message>
        <source>These curves cannot be read.</source>
        <translation>Diese Kurven sind nicht lesbar.</translation>
    </message>
    <message>
        <source>Delete {count} runs?</source>
        <translation>{count} Läufe löschen?</translation>
    </message>
    <message>
        <source>Delete this run?</source>
        <translation>Diesen Lauf löschen?</translation>
    </message>
    <message>
        <source>Delete</source>
        <translation>Löschen</translation>
    </message>
    <message>
        <source>Keep</source>
        <translation>Behalten</translation>
    </message>
</context>
<context>
    <name>RunsModel</name>
    <message>
        <source>Run</source>
        <translation>Lauf</translation>
    </message>
    <message>
        <source>Epoch</source>
        <translation>Epoche</translation>
    </message>
    <message>
        <source>Started</source>
        <translation>Beginn</translation>
    </message>
    <message>
        <source>Duration</source>
        <translation>Dauer</translation>
    </message>
    <message>
        <source>Steps</source>
        <translation>Schritte</translation>
    </message>
    <message>
        <source>Held-out</source>
        <translation>Prüftext</translation>
    </message>
    <message>
        <source>Ended</source>
        <translation>Ende</translation>
    </message>
</context>
<context>
    <name>SamplesView</name>
    <message>
        <source>Samples</source>
        <translation>Proben</translation>
    </message>
    <message>
        <source>Samples by step</source>
        <translation>Proben nach Schritten</translation>
    </message>
    <message>
        <source>The chosen sample</source>
        <translation>Die gewählte Probe</translation>
    </message>
    <message>
        <source>No samples. “Sample every” under Advanced of a new epoch lets the mixture continue a prompt of yours every so many steps while it learns; the texts are listed here.</source>
        <translation>Keine Proben. Mit dem „Probenintervall“ unter „Erweitert“ einer neuen Epoche setzt die Mischung beim Lernen alle paar Schritte einen eigenen Prompt fort; die Texte stehen dann hier.</translation>
    </message>
    <message>
        <source>Charts</source>
        <translation>Diagramme</translation>
    </message>
    <message>
        <source>Show the charts again</source>
        <translation>Wieder die Diagramme zeigen</translation>
    </message>
    <message>
        <source>Samples of {epoch}</source>
        <translation>Proben von {epoch}</translation>
    </message>
    <message>
        <source>one prompt and one seed, by step</source>
        <translation>ein Prompt und ein Seed, je Schritt</translation>
    </message>
    <message>
        <source>Step</source>
        <translation>Schritt</translation>
    </message>
    <message>
        <source>Text</source>
        <translation>Text</translation>
    </message>
</context>
<context>
    <name>SamplingPanel</name>
    <message>
        <source>Sampling</source>
        <translation>Sampling</translation>
    </message>
    <message>
        <source>0 (most probable)</source>
        <translation>0 (wahrscheinlichstes)</translation>
    </message>
    <message>
        <source>all</source>
        <translation>alle</translation>
    </message>
    <message>
        <source>Fast</source>
        <translation>Schnell</translation>
    </message>
    <message>
        <source>Temperature</source>
        <translation>Temperatur</translation>
    </message>
    <message>
        <source>0 takes the most probable token; higher is bolder</source>
        <translation>0 nimmt das wahrscheinlichste Token; höher ist kühner</translation>
    </message>
    <message>
        <source>Top-k</source>
        <translation>Top-k</translation>
    </message>
    <message>
        <source>Keep the k most probable tokens; 0 keeps all</source>
        <translation>Die k wahrscheinlichsten Tokens behalten; 0 behält alle</translation>
    </message>
    <message>
        <source>Top-p</source>
        <translation>Top-p</translation>
    </message>
    <message>
        <source>Keep the smallest set of tokens that holds this probability</source>
        <translation>Die kleinste Menge von Tokens behalten, die diese Wahrscheinlichkeit umfasst</translation>
    </message>
    <message>
        <source>Repetition penalty</source>
        <translation>Wiederholungsstrafe</translation>
    </message>
    <message>
        <source>Divides the logits of tokens that are already there; 1 does nothing</source>
        <translation>Teilt die Logits von Tokens, die schon da sind; 1 bewirkt nichts</translation>
    </message>
    <message>
        <source>Max new tokens</source>
        <translation>Höchstens neue Tokens</translation>
    </message>
    <message>
        <source>Stop after this many tokens</source>
        <translation>Nach so vielen Tokens stoppen</translation>
    </message>
    <message>
        <source>Seed</source>
        <translation>Seed</translation>
    </message>
    <message>
        <source>The same seed gives the same text</source>
        <translation>Derselbe Seed ergibt denselben Text</translation>
    </message>
    <message>
        <source>Decode with weights of 16 bits, where that is faster on this processor and nobody could tell the texts apart; it takes half as much memory again as the backbone</source>
        <translation>Mit Gewichten von 16 Bit erzeugen, wo das auf diesem Prozessor schneller ist und niemand die Texte unterscheiden könnte; es braucht halb so viel Speicher wie das Modell zusätzlich</translation>
    </message>
    <message>
        <source>Precision</source>
        <translation>Rechengenauigkeit</translation>
    </message>
    <message>
        <source>Defaults</source>
        <translation>Vorgaben</translation>
    </message>
    <message>
        <source>Set everything back to the defaults</source>
        <translation>Alles auf die Vorgaben zurücksetzen</translation>
    </message>
    <message>
        <source>Sampling defaults</source>
        <translation>Vorgaben für das Sampling</translation>
    </message>
    <message>
        <source>Random seed</source>
        <translation>Zufälliger Seed</translation>
    </message>
    <message>
        <source>Pick a random seed</source>
        <translation>Zufälligen Seed wählen</translation>
    </message>
</context>
<context>
    <name>SegmentStrip</name>
    <message>
        <source>Segments</source>
        <translation>Segmente</translation>
    </message>
    <message>
        <source>Segments found in the text. Click to go to a token, or walk with ← and →</source>
        <translation>Im Text gefundene Segmente. Klicken, um zu einem Token zu springen, oder mit ← und → gehen</translation>
    </message>
    <message>
        <source>{name}: tokens {first}–{last}</source>
        <translation>{name}: Tokens {first}–{last}</translation>
    </message>
    <message>
        <source>Time Mixer does not follow</source>
        <translation>Der Time Mixer folgt nicht</translation>
    </message>
    <message>
        <source>Time Mixer follows at once</source>
        <translation>Der Time Mixer folgt sofort</translation>
    </message>
    <message>
        <source>Time Mixer follows after 1 token</source>
        <translation>Der Time Mixer folgt nach 1 Token</translation>
    </message>
    <message>
        <source>Time Mixer follows after {count} tokens</source>
        <translation>Der Time Mixer folgt nach {count} Tokens</translation>
    </message>
    <message>
        <source>never</source>
        <translation>nie</translation>
    </message>
    <message>
        <source>after {count}</source>
        <translation>nach {count}</translation>
    </message>
    <message>
        <source>{name} {first}–{last}</source>
        <translation>{name} {first}–{last}</translation>
    </message>
</context>
<context>
    <name>SendDialog</name>
    <message>
        <source>Send as a file</source>
        <translation>Als Datei senden</translation>
    </message>
    <message>
        <source>{name} becomes one file. Whoever opens it needs the same backbone, {backbone}.</source>
        <translation>{name} wird eine Datei. Wer sie öffnet, braucht dasselbe Backbone, {backbone}.</translation>
    </message>
    <message>
        <source>Never in the file: the backbone, deleted epochs and texts, epochs that wait to be trained, and paths on this machine. What an epoch has learned by heart, it can be made to say.</source>
        <translation>Nie in der Datei: das Backbone, gelöschte Epochen und Texte, Epochen, die auf ihr Training warten, und Pfade auf diesem Rechner. Was eine Epoche auswendig gelernt hat, kann man ihr entlocken.</translation>
    </message>
    <message>
        <source>Kept &amp;texts</source>
        <translation>Aufbewahrte &amp;Texte</translation>
    </message>
    <message>
        <source>Prompts and what came of them, texts that were read, and the samples of trainings.</source>
        <translation>Prompts und was daraus wurde, gelesene Texte und die Proben der Trainings.</translation>
    </message>
    <message>
        <source>History of &amp;runs</source>
        <translation>Verlauf der &amp;Läufe</translation>
    </message>
    <message>
        <source>Settings, curves and the processor&apos;s name of every training, also of deleted epochs.</source>
        <translation>Einstellungen, Kurven und der Name des Prozessors von jedem Training, auch von gelöschten Epochen.</translation>
    </message>
    <message>
        <source>&amp;Interrupted epochs</source>
        <translation>&amp;Unterbrochene Epochen</translation>
    </message>
    <message>
        <source>They can go on there. All of the text that they are trained on is in the file, as tokens.</source>
        <translation>Sie können dort weitergehen. Der ganze Text, auf dem sie trainiert werden, ist als Token in der Datei.</translation>
    </message>
    <message>
        <source>&amp;Memories</source>
        <translation>&amp;Gedächtnisse</translation>
    </message>
    <message>
        <source>What keeps the Time Mixer from forgetting in later trainings: what it reads of your text (router inputs), and up to 4,096 tokens of held-out text for each epoch. Text can be read from them. Without them epochs dream anew before the next training, and nothing is measured on their text.</source>
        <translation>Was den Time Mixer in späteren Trainings vor dem Vergessen schützt: was er vom Text liest (Router-Eingaben), und je Epoche bis zu 4.096 Token zurückgehaltenen Textes. Daraus lässt sich Text lesen. Ohne sie träumen die Epochen vor dem nächsten Training neu, und auf ihrem Text wird nichts gemessen.</translation>
    </message>
    <message>
        <source>Choose where…</source>
        <translation>Ort wählen…</translation>
    </message>
    <message>
        <source>Cancel</source>
        <translation>Abbrechen</translation>
    </message>
    <message>
        <source>none</source>
        <translation>keine</translation>
    </message>
    <message>
        <source>About {size}</source>
        <translation>Etwa {size}</translation>
    </message>
</context>
<context>
    <name>SettingsBox</name>
    <message>
        <source>Passes</source>
        <translation>Durchgänge</translation>
    </message>
    <message>
        <source>How often the training text is read.</source>
        <translation>Wie oft der Trainingstext gelesen wird.</translation>
    </message>
    <message>
        <source>Tokens per pass</source>
        <translation>Tokens je Durchgang</translation>
    </message>
    <message>
        <source>all</source>
        <translation>alle</translation>
    </message>
    <message>
        <source>Step of the adapter&apos;s A at its peak, of its B four times as much: 10 warm-up steps, then it falls (cosine). Above 0, at most 1.</source>
        <translation>Schrittweite von A des Adapters am Höchstpunkt, von B das Vierfache: 10 Schritte Aufwärmen, dann fällt sie (Kosinus). Über 0, höchstens 1.</translation>
    </message>
    <message>
        <source>Learning rate</source>
        <translation>Lernrate</translation>
    </message>
    <message>
        <source>Training</source>
        <translation>Training</translation>
    </message>
    <message>
        <source>How thoroughly the text is learned. Quick is for a first look, Thorough takes all that there is.</source>
        <translation>Wie gründlich der Text gelernt wird. „Schnell“ ist für einen ersten Blick, „Gründlich“ nimmt alles, was da ist.</translation>
    </message>
    <message>
        <source>Reset</source>
        <translation>Zurücksetzen</translation>
    </message>
    <message>
        <source>Set every setting back to its default</source>
        <translation>Alle Einstellungen auf die Vorgaben zurücksetzen</translation>
    </message>
    <message>
        <source>Training tokens per pass at most; all reads the whole text. At least one block.</source>
        <translation>Höchstens so viele Trainings-Tokens je Durchgang; „alle“ liest den ganzen Text. Mindestens ein Block.</translation>
    </message>
    <message>
        <source>&amp;Passes</source>
        <translation>&amp;Durchgänge</translation>
    </message>
    <message>
        <source>&amp;Tokens per pass</source>
        <translation>&amp;Tokens je Durchgang</translation>
    </message>
    <message>
        <source>&amp;Learning rate</source>
        <translation>&amp;Lernrate</translation>
    </message>
    <message>
        <source>Also train &amp;without Active Sleep, to compare</source>
        <translation>Zum Vergleich auch &amp;ohne Active Sleep trainieren</translation>
    </message>
    <message>
        <source>Batch size</source>
        <translation>Batchgröße</translation>
    </message>
    <message>
        <source>Blocks of text per step.</source>
        <translation>Textblöcke je Schritt.</translation>
    </message>
    <message>
        <source> blocks</source>
        <translation> Blöcke</translation>
    </message>
    <message>
        <source>Block size</source>
        <translation>Blockgröße</translation>
    </message>
    <message>
        <source>Tokens per block of text.</source>
        <translation>Tokens je Textblock.</translation>
    </message>
    <message>
        <source> tokens</source>
        <translation> Tokens</translation>
    </message>
    <message>
        <source>Held-out share</source>
        <translation>Prüftextanteil</translation>
    </message>
    <message>
        <source>Share of the text kept aside by file, for measuring only.</source>
        <translation>Anteil des Texts, der dateiweise zurückgelegt wird, nur zum Messen.</translation>
    </message>
    <message>
        <source>Seed</source>
        <translation>Seed</translation>
    </message>
    <message>
        <source>Fixes initial weights, order of blocks and replayed memories.</source>
        <translation>Legt Anfangsgewichte, Reihenfolge der Blöcke und abgespielte Erinnerungen fest.</translation>
    </message>
    <message>
        <source>Objective</source>
        <translation>Lernziel</translation>
    </message>
    <message>
        <source>What the adapter learns from. Isolated: the new epoch alone at full weight. Joint: the mixture of all epochs.</source>
        <translation>Woraus der Adapter lernt. Getrennt: die neue Epoche allein mit vollem Gewicht. Gemeinsam: die Mischung aller Epochen.</translation>
    </message>
    <message>
        <source>isolated</source>
        <translation>getrennt</translation>
    </message>
    <message>
        <source>joint</source>
        <translation>gemeinsam</translation>
    </message>
    <message>
        <source>&amp;Batch size</source>
        <translation>&amp;Batchgröße</translation>
    </message>
    <message>
        <source>Bloc&amp;k size</source>
        <translation>Blockgr&amp;öße</translation>
    </message>
    <message>
        <source>&amp;Held-out share</source>
        <translation>&amp;Prüftextanteil</translation>
    </message>
    <message>
        <source>&amp;Objective</source>
        <translation>Lern&amp;ziel</translation>
    </message>
    <message>
        <source>See&amp;d</source>
        <translation>S&amp;eed</translation>
    </message>
    <message>
        <source>Pat&amp;ience</source>
        <translation>Ged&amp;uld</translation>
    </message>
    <message>
        <source>&amp;Sample prompt</source>
        <translation>Proben-Pro&amp;mpt</translation>
    </message>
    <message>
        <source>Sample e&amp;very</source>
        <translation>Probeninter&amp;vall</translation>
    </message>
    <message>
        <source>Sample len&amp;gth</source>
        <translation>Probenlän&amp;ge</translation>
    </message>
    <message>
        <source>Advanced</source>
        <translation>Erweitert</translation>
    </message>
    <message>
        <source>T&amp;raining</source>
        <translation>T&amp;raining</translation>
    </message>
    <message>
        <source>Quick</source>
        <translation>Schnell</translation>
    </message>
    <message>
        <source>Balanced</source>
        <translation>Ausgewogen</translation>
    </message>
    <message>
        <source>Thorough</source>
        <translation>Gründlich</translation>
    </message>
    <message>
        <source>Settings of {name}</source>
        <translation>Einstellungen von {name}</translation>
    </message>
    <message>
        <source>Custom</source>
        <translation>Eigene</translation>
    </message>
    <message>
        <source>Stop ea&amp;rly, keep the best step</source>
        <translation>Fr&amp;üh stoppen, den besten Schritt behalten</translation>
    </message>
    <message>
        <source>Ends the training when the held-out loss no longer falls, and keeps the adapter and the Time Mixer of the step after which it was lowest. Otherwise the last step is kept.</source>
        <translation>Beendet das Training, wenn der Verlust am Prüftext nicht mehr fällt, und behält Adapter und Time Mixer des Schritts, nach dem er am kleinsten war. Sonst bleibt der letzte Schritt.</translation>
    </message>
    <message>
        <source>Patience</source>
        <translation>Geduld</translation>
    </message>
    <message>
        <source>How many measurements on held-out text in a row may be no better before the training ends. In long trainings a tenth of all measurements, at least.</source>
        <translation>Wie viele Messungen am Prüftext hintereinander nicht besser sein dürfen, bevor das Training endet. In langen Trainings mindestens ein Zehntel aller Messungen.</translation>
    </message>
    <message>
        <source> measurements</source>
        <translation> Messungen</translation>
    </message>
    <message>
        <source>the beginning of a text</source>
        <translation>der Anfang eines Texts</translation>
    </message>
    <message>
        <source>Sample prompt</source>
        <translation>Proben-Prompt</translation>
    </message>
    <message>
        <source>What the mixture continues by way of a sample while the training runs, always with the same seed.</source>
        <translation>Was die Mischung während des Trainings als Probe fortsetzt, immer mit demselben Seed.</translation>
    </message>
    <message>
        <source>Sample every</source>
        <translation>Probenintervall</translation>
    </message>
    <message>
        <source>Steps between two samples. They change nothing of what is learned.</source>
        <translation>Schritte zwischen zwei Proben. Am Gelernten ändern sie nichts.</translation>
    </message>
    <message>
        <source> steps</source>
        <translation> Schritte</translation>
    </message>
    <message>
        <source>never</source>
        <translation>nie</translation>
    </message>
    <message>
        <source>Sample length</source>
        <translation>Probenlänge</translation>
    </message>
    <message>
        <source>Tokens that a sample adds to its prompt.</source>
        <translation>Tokens, die eine Probe an ihren Prompt anhängt.</translation>
    </message>
    <message>
        <source>Active Sleep is off under Advanced, so there is nothing to compare.</source>
        <translation>Active Sleep ist unter „Erweitert“ ausgeschaltet, also gibt es nichts zu vergleichen.</translation>
    </message>
    <message>
        <source>Possible with the isolated objective only: otherwise the mixer shapes the adapter too.</source>
        <translation>Nur mit dem getrennten Lernziel möglich: Sonst formt der Mixer auch den Adapter.</translation>
    </message>
    <message>
        <source>Trains a second Time Mixer without Active Sleep on the same batches. The charts show it beside the protected one; then it is thrown away.</source>
        <translation>Trainiert auf denselben Batches einen zweiten Time Mixer ohne Active Sleep. Die Diagramme zeigen ihn neben dem geschützten; danach wird er weggeworfen.</translation>
    </message>
</context>
<context>
    <name>ShortcutSheet</name>
    <message>
        <source>Keyboard shortcuts</source>
        <translation>Tastenkürzel</translation>
    </message>
    <message>
        <source>Close</source>
        <translation>Schließen</translation>
    </message>
    <message>
        <source>Close this page; so do Esc, F1 and ?</source>
        <translation>Diese Seite schließen; das tun auch Esc, F1 und ?</translation>
    </message>
</context>
<context>
    <name>SleepBox</name>
    <message>
        <source>This is the first epoch: there is nothing to protect yet.</source>
        <translation>Dies ist die erste Epoche: Noch gibt es nichts zu schützen.</translation>
    </message>
    <message>
        <source>On by itself from the second epoch: keeps the Time Mixer from forgetting the earlier ones.</source>
        <translation>Ab der zweiten Epoche von selbst an: bewahrt den Time Mixer davor, die früheren zu vergessen.</translation>
    </message>
    <message>
        <source>&amp;Active Sleep</source>
        <translation>&amp;Active Sleep</translation>
    </message>
    <message>
        <source>Replays memories of earlier epochs so that the Time Mixer still finds the way to them.</source>
        <translation>Spielt Erinnerungen an frühere Epochen ab, damit der Time Mixer den Weg zu ihnen weiter findet.</translation>
    </message>
    <message>
        <source>&amp;Memories know their epoch</source>
        <translation>Erinnerungen &amp;kennen ihre Epoche</translation>
    </message>
    <message>
        <source>Each memory also tells which epoch it is from, and training ends with a short calibration on memories. Without it the Time Mixer is protected by distillation alone.</source>
        <translation>Jede Erinnerung sagt auch, aus welcher Epoche sie stammt, und das Training endet mit einer kurzen Kalibrierung auf Erinnerungen. Ohne dies schützt allein die Destillation den Time Mixer.</translation>
    </message>
    <message>
        <source>Kept for later sleep</source>
        <translation>Bleibt für späteren Schlaf</translation>
    </message>
    <message>
        <source>What this epoch leaves behind, so that later ones can protect it. Features: how the frozen backbone sees a small part of the text, which is kept with them. Without text: the same in a fifth of the room, and no text or word counts. Dreams: features of text that the finished epoch makes up by itself; they protect less.</source>
        <translation>Was diese Epoche zurücklässt, damit spätere sie schützen können. Merkmale: wie das eingefrorene Backbone einen kleinen Teil des Textes sieht, der mit ihnen aufbewahrt wird. Ohne Text: dasselbe auf einem Fünftel des Platzes, ohne Text und ohne Wortzahlen. Träume: Merkmale von Text, den die fertige Epoche selbst erfindet; sie schützen weniger.</translation>
    </message>
    <message>
        <source>features of the text</source>
        <translation>Merkmale des Texts</translation>
    </message>
    <message>
        <source>features without text</source>
        <translation>Merkmale ohne Text</translation>
    </message>
    <message>
        <source>dreams of the epoch (text-free)</source>
        <translation>Träume der Epoche (ohne Text)</translation>
    </message>
    <message>
        <source>Memory tokens</source>
        <translation>Erinnerungs-Tokens</translation>
    </message>
    <message>
        <source>Tokens that this epoch leaves for later sleep. More protect better and take more room. At least {low}.</source>
        <translation>Tokens, die diese Epoche für späteren Schlaf zurücklässt. Mehr schützt besser und braucht mehr Platz. Mindestens {low}.</translation>
    </message>
    <message>
        <source> tokens</source>
        <translation> Tokens</translation>
    </message>
    <message>
        <source>Kept &amp;for later sleep</source>
        <translation>Für &amp;späteren Schlaf</translation>
    </message>
    <message>
        <source>M&amp;emory tokens</source>
        <translation>Er&amp;innerungs-Tokens</translation>
    </message>
</context>
<context>
    <name>SlotPredictionRows</name>
    <message>
        <source>Mix</source>
        <translation>Mischung</translation>
    </message>
    <message>
        <source>rank {rank}</source>
        <translation>Rang {rank}</translation>
    </message>
</context>
<context>
    <name>SparklineStrip</name>
    <message>
        <source>Charts, folded</source>
        <translation>Diagramme, eingeklappt</translation>
    </message>
    <message>
        <source>Unfold the charts</source>
        <translation>Diagramme ausklappen</translation>
    </message>
</context>
<context>
    <name>StrategyChoice</name>
    <message>
        <source>Time Mixer</source>
        <translation>Time Mixer</translation>
    </message>
    <message>
        <source>How the Time Mixer decides which epochs speak in a token; a project keeps its strategy</source>
        <translation>Wie der Time Mixer entscheidet, welche Epochen in einem Token sprechen; ein Projekt behält seine Strategie</translation>
    </message>
    <message>
        <source>Blends the epochs softly, token by token</source>
        <translation>Mischt die Epochen weich, Token für Token</translation>
    </message>
    <message>
        <source>Gives each token to one epoch alone</source>
        <translation>Gibt jedes Token einer Epoche allein</translation>
    </message>
    <message>
        <source>Looks back over the context, then blends</source>
        <translation>Blickt auf den Kontext zurück, dann mischt er</translation>
    </message>
    <message>
        <source>Epochs may change every bloc&amp;k, as most adapters from elsewhere do</source>
        <translation>Epochen dürfen &amp;jeden Block ändern, wie die meisten fremden Adapter</translation>
    </message>
    <message>
        <source>The Time Mixer then reads the bare words, not what the first quarter of the backbone makes of them; a project keeps this too</source>
        <translation>Der Time Mixer liest dann die bloßen Wörter, nicht was das erste Viertel des Backbones daraus macht; auch das behält ein Projekt</translation>
    </message>
    <message>
        <source>Leave text of no epoch to the &amp;backbone</source>
        <translation>Text keiner Epoche dem &amp;Backbone lassen</translation>
    </message>
    <message>
        <source>A filter weighs the epochs then, which forgets less than the running mean that weighs otherwise; a project keeps this too</source>
        <translation>Dann wägt ein Filter die Epochen, der weniger vergisst als das laufende Mittel, das sonst wägt; auch das behält ein Projekt</translation>
    </message>
    <message>
        <source>Also by the &amp;words that each epoch uses</source>
        <translation>Auch nach den &amp;Wörtern, die jede Epoche verwendet</translation>
    </message>
    <message>
        <source>The filter then asks how often each epoch has a token: it knows first words and unknown text better, and takes one epoch for another a little more often</source>
        <translation>Der Filter fragt dann, wie oft jede Epoche ein Token hat: Er erkennt erste Wörter und unbekannten Text besser und verwechselt Epochen etwas öfter</translation>
    </message>
</context>
<context>
    <name>SweepBox</name>
    <message>
        <source>A sweep continues the prompt five times, from one slot to another</source>
        <translation>Eine Überblendung setzt den Prompt fünfmal fort, von einem Slot zum anderen</translation>
    </message>
    <message>
        <source>Sweep from</source>
        <translation>Von</translation>
    </message>
    <message>
        <source>Sweep to</source>
        <translation>Zu</translation>
    </message>
    <message>
        <source>Sweep</source>
        <translation>Überblenden</translation>
    </message>
    <message>
        <source>to</source>
        <translation>zu</translation>
    </message>
    <message>
        <source>Continue the prompt in five manual blends, from 100 / 0 to 0 / 100</source>
        <translation>Den Prompt in fünf Mischungen von Hand fortsetzen, von 100 / 0 bis 0 / 100</translation>
    </message>
    <message>
        <source>Choose two different slots; there are two from the first epoch on</source>
        <translation>Zwei verschiedene Slots wählen; ab der ersten Epoche gibt es zwei</translation>
    </message>
</context>
<context>
    <name>TimelineBar</name>
    <message>
        <source>Mixers of the past</source>
        <translation>Mixer der Vergangenheit</translation>
    </message>
    <message>
        <source>Mixer</source>
        <translation>Mixer</translation>
    </message>
    <message>
        <source>The text as each stored Time Mixer would colour it; walk with ← and →</source>
        <translation>Der Text, wie jeder gespeicherte Time Mixer ihn färben würde; mit ← und → gehen</translation>
    </message>
    <message>
        <source>Close</source>
        <translation>Schließen</translation>
    </message>
    <message>
        <source>Back to the colours of the text itself</source>
        <translation>Zurück zu den Farben des Texts selbst</translation>
    </message>
    <message>
        <source>There is one Time Mixer so far. Train a second epoch to watch how routing changes.</source>
        <translation>Bisher gibt es einen Time Mixer. Eine zweite Epoche trainieren, um zu sehen, wie sich das Routing ändert.</translation>
    </message>
    <message>
        <source>now</source>
        <translation>jetzt</translation>
    </message>
    <message>
        <source>{name} · now</source>
        <translation>{name} · jetzt</translation>
    </message>
    <message>
        <source>Pause</source>
        <translation>Pause</translation>
    </message>
    <message>
        <source>Play</source>
        <translation>Abspielen</translation>
    </message>
    <message>
        <source>Stay at this mixer</source>
        <translation>Bei diesem Mixer bleiben</translation>
    </message>
    <message>
        <source>Step through all mixers, two a second</source>
        <translation>Alle Mixer durchlaufen, zwei je Sekunde</translation>
    </message>
    <message>
        <source>{share} of tokens
had another slot</source>
        <translation>{share} der Tokens
hatten einen anderen Slot</translation>
    </message>
</context>
<context>
    <name>TokenInspector</name>
    <message>
        <source>Token inspector</source>
        <translation>Token-Inspektor</translation>
    </message>
    <message>
        <source>How the mixing desk stood when this token was predicted</source>
        <translation>Wie das Mischpult stand, als dieses Token vorhergesagt wurde</translation>
    </message>
    <message>
        <source>Mean mix of the text</source>
        <translation>Mittlere Mischung des Texts</translation>
    </message>
    <message>
        <source>No token chosen yet. Hover the text or the ribbon, or walk through the text with ← and →, to see which epochs speak in a token and what else could have come.</source>
        <translation>Noch kein Token gewählt. Mit der Maus über Text oder Mischband fahren oder mit ← und → durch den Text gehen, um zu sehen, welche Epochen in einem Token sprechen und was sonst hätte kommen können.</translation>
    </message>
    <message>
        <source>Token</source>
        <translation>Token</translation>
    </message>
    <message>
        <source>Whole text</source>
        <translation>Ganzer Text</translation>
    </message>
    <message>
        <source>put here by you</source>
        <translation>von Hand gesetzt</translation>
    </message>
    <message>
        <source>Mixing desk: {what}</source>
        <translation>Mischpult: {what}</translation>
    </message>
    <message>
        <source>{count} tokens</source>
        <translation>{count} Tokens</translation>
    </message>
    <message>
        <source>{bits}&#xa0;bits of surprise per token</source>
        <translation>{bits}&#xa0;Bit Überraschung pro Token</translation>
    </message>
    <message>
        <source>{name} leads in {share} of&#xa0;tokens</source>
        <translation>{name} führt in {share} der&#xa0;Tokens</translation>
    </message>
    <message>
        <source>several slots weigh the same in {share} of&#xa0;tokens</source>
        <translation>mehrere Slots wiegen gleich viel in {share} der&#xa0;Tokens</translation>
    </message>
</context>
<context>
    <name>TokenView</name>
    <message>
        <source>Generated text</source>
        <translation>Erzeugter Text</translation>
    </message>
    <message>
        <source>Hover a token, or walk with the left and right arrow keys, to see who speaks. A click holds it, another one lets go. Enter or a double click asks for another word there.</source>
        <translation>Zeiger auf ein Token halten oder mit den Pfeiltasten nach links und rechts gehen, um zu sehen, wer spricht. Ein Klick hält es fest, ein weiterer lässt los. Enter oder ein Doppelklick fragt dort nach einem anderen Wort.</translation>
    </message>
    <message>
        <source>Hover a token, or walk with the left and right arrow keys, to see who speaks. A click holds it, another one lets go.</source>
        <translation>Zeiger auf ein Token halten oder mit den Pfeiltasten nach links und rechts gehen, um zu sehen, wer spricht. Ein Klick hält es fest, ein weiterer lässt los.</translation>
    </message>
    <message>
        <source>Copy all</source>
        <translation>Alles kopieren</translation>
    </message>
    <message>
        <source>Copy</source>
        <translation>Kopieren</translation>
    </message>
    <message>
        <source>Copy all with colours</source>
        <translation>Alles mit Farben kopieren</translation>
    </message>
    <message>
        <source>Copy with colours</source>
        <translation>Mit Farben kopieren</translation>
    </message>
    <message>
        <source>Again from here</source>
        <translation>Ab hier noch einmal</translation>
    </message>
    <message>
        <source>Other word here…</source>
        <translation>Anderes Wort hier…</translation>
    </message>
    <message>
        <source>Edit the prompt</source>
        <translation>Den Prompt ändern</translation>
    </message>
</context>
<context>
    <name>TrainingBox</name>
    <message>
        <source>Measurements on held-out text in a row that were no better than the best; then the training ends</source>
        <translation>Messungen am Prüftext hintereinander, die nicht besser waren als die beste; danach endet das Training</translation>
    </message>
    <message>
        <source>Training progress</source>
        <translation>Fortschritt des Trainings</translation>
    </message>
    <message>
        <source>Pause</source>
        <translation>Pause</translation>
    </message>
    <message>
        <source>Stop…</source>
        <translation>Stoppen…</translation>
    </message>
    <message>
        <source>Stop training</source>
        <translation>Training stoppen</translation>
    </message>
    <message>
        <source>End this training; what is learned so far can be kept</source>
        <translation>Dieses Training beenden; das bisher Gelernte kann bleiben</translation>
    </message>
    <message>
        <source>starting…</source>
        <translation>startet…</translation>
    </message>
    <message>
        <source>Training starts after this</source>
        <translation>Danach beginnt das Training</translation>
    </message>
    <message>
        <source>Nothing more is learned</source>
        <translation>Es wird nichts mehr gelernt</translation>
    </message>
    <message>
        <source>step {step} / {total}</source>
        <translation>Schritt {step} / {total}</translation>
    </message>
    <message>
        <source>adapter loss {loss}</source>
        <translation>Adapterverlust {loss}</translation>
    </message>
    <message>
        <source>{tokens} tokens read</source>
        <translation>{tokens} Tokens gelesen</translation>
    </message>
    <message>
        <source>{time} left</source>
        <translation>noch {time}</translation>
    </message>
    <message>
        <source>{n} tokens/s</source>
        <translation>{n} Tokens/s</translation>
    </message>
    <message>
        <source>held-out {loss}</source>
        <translation>Prüftext {loss}</translation>
    </message>
    <message>
        <source>no better for {count} of {patience} measurements</source>
        <translation>nicht besser seit {count} von {patience} Messungen</translation>
    </message>
    <message>
        <source>Waits while text is written</source>
        <translation>Wartet, während Text entsteht</translation>
    </message>
    <message>
        <source>Paused</source>
        <translation>Pausiert</translation>
    </message>
    <message>
        <source>Resume</source>
        <translation>Fortsetzen</translation>
    </message>
    <message>
        <source>Resume training</source>
        <translation>Training fortsetzen</translation>
    </message>
    <message>
        <source>Pause training</source>
        <translation>Training pausieren</translation>
    </message>
    <message>
        <source>Go on with the training</source>
        <translation>Mit dem Training weitermachen</translation>
    </message>
    <message>
        <source>Let the training stand still for a while</source>
        <translation>Das Training eine Weile ruhen lassen</translation>
    </message>
    <message>
        <source>Stop training {name}?</source>
        <translation>Das Training von {name} stoppen?</translation>
    </message>
    <message>
        <source>Stop training?</source>
        <translation>Training stoppen?</translation>
    </message>
    <message>
        <source>What is learned so far can be kept as a finished epoch, or discarded as if it had never begun. Training goes on until you choose.</source>
        <translation>Das bisher Gelernte kann als fertige Epoche bleiben oder verworfen werden, als hätte es nie begonnen. Bis zur Wahl geht das Training weiter.</translation>
    </message>
    <message>
        <source>Keep what is learned</source>
        <translation>Gelerntes behalten</translation>
    </message>
    <message>
        <source>Discard</source>
        <translation>Verwerfen</translation>
    </message>
    <message>
        <source>Nothing is learned yet. Training goes on until you choose.</source>
        <translation>Noch ist nichts gelernt. Bis zur Wahl geht das Training weiter.</translation>
    </message>
    <message>
        <source>Go on training</source>
        <translation>Weiter trainieren</translation>
    </message>
    <message>
        <source>Stop importing {name}?</source>
        <translation>Import von {name} beenden?</translation>
    </message>
    <message>
        <source>Nothing of it is kept. It goes on until you choose.</source>
        <translation>Nichts davon bleibt. Es geht weiter, bis gewählt ist.</translation>
    </message>
    <message>
        <source>Stop it</source>
        <translation>Beenden</translation>
    </message>
    <message>
        <source>Go on importing</source>
        <translation>Weiter importieren</translation>
    </message>
</context>
<context>
    <name>TrainingControl</name>
    <message>
        <source>Preparing</source>
        <translation>Wird vorbereitet</translation>
    </message>
    <message>
        <source>{name} was deleted.</source>
        <translation>{name} wurde gelöscht.</translation>
    </message>
    <message>
        <source>{name} has begun already, as it was.</source>
        <translation>{name} hat schon begonnen, unverändert.</translation>
    </message>
    <message>
        <source>change {name} in the queue</source>
        <translation>{name} in der Warteschlange ändern</translation>
    </message>
    <message>
        <source>Another project is being opened.</source>
        <translation>Ein anderes Projekt wird gerade geöffnet.</translation>
    </message>
    <message>
        <source>Wait until it is there, or cancel that first.</source>
        <translation>Warten, bis es da ist, oder das zuerst abbrechen.</translation>
    </message>
    <message>
        <source>That training had ended already.</source>
        <translation>Dieses Training war schon zu Ende.</translation>
    </message>
    <message>
        <source>{name}: {note}.</source>
        <translation>{name}: {note}.</translation>
    </message>
    <message>
        <source>Resume</source>
        <translation>Fortsetzen</translation>
    </message>
    <message>
        <source>Still to be trained: {names}.</source>
        <translation>Noch zu trainieren: {names}.</translation>
    </message>
    <message>
        <source>Train now</source>
        <translation>Jetzt trainieren</translation>
    </message>
    <message>
        <source>take {name} out of the queue</source>
        <translation>{name} aus der Warteschlange nehmen</translation>
    </message>
    <message>
        <source>That training has begun already.</source>
        <translation>Dieses Training hat schon begonnen.</translation>
    </message>
    <message>
        <source>move {name} in the queue</source>
        <translation>{name} in der Warteschlange verschieben</translation>
    </message>
    <message>
        <source>{name} is an adapter: take it out of the queue and import it again.</source>
        <translation>{name} ist ein Adapter: aus der Warteschlange nehmen und neu importieren.</translation>
    </message>
    <message>
        <source>delete {name}</source>
        <translation>{name} löschen</translation>
    </message>
    <message>
        <source>change {name}</source>
        <translation>{name} ändern</translation>
    </message>
    <message>
        <source>rename {name}</source>
        <translation>{name} umbenennen</translation>
    </message>
    <message>
        <source>recolour {name}</source>
        <translation>{name} umfärben</translation>
    </message>
    <message>
        <source>Measuring on held-out text</source>
        <translation>Messung am Prüftext</translation>
    </message>
    <message>
        <source>Backbone, every epoch alone and the mix, each on the text kept aside from training</source>
        <translation>Backbone, jede Epoche allein und die Mischung, jeweils am Text, der nicht zum Training diente</translation>
    </message>
    <message>
        <source>Possible once an epoch is trained and no training runs</source>
        <translation>Möglich, sobald eine Epoche trainiert ist und kein Training läuft</translation>
    </message>
    <message>
        <source>{name} could not begin and waits: {reason}</source>
        <translation>{name} konnte nicht beginnen und wartet: {reason}</translation>
    </message>
</context>
<context>
    <name>TrashControl</name>
    <message>
        <source>An epoch is in training here.</source>
        <translation>Hier wird gerade eine Epoche trainiert.</translation>
    </message>
    <message>
        <source>Wait for its end, or stop it, and try again.</source>
        <translation>Das Ende abwarten oder es anhalten, dann noch einmal versuchen.</translation>
    </message>
    <message>
        <source>restore {name}</source>
        <translation>{name} wiederherstellen</translation>
    </message>
    <message>
        <source>restore {count} things</source>
        <translation>{count} Dinge wiederherstellen</translation>
    </message>
</context>
<context>
    <name>TrashDialog</name>
    <message>
        <source>Trash</source>
        <translation>Papierkorb</translation>
    </message>
    <message>
        <source>What</source>
        <translation>Was</translation>
    </message>
    <message>
        <source>Name</source>
        <translation>Name</translation>
    </message>
    <message>
        <source>Deleted</source>
        <translation>Gelöscht</translation>
    </message>
    <message>
        <source>Size</source>
        <translation>Größe</translation>
    </message>
    <message>
        <source>Nothing is in the trash.</source>
        <translation>Der Papierkorb ist leer.</translation>
    </message>
    <message>
        <source>An epoch comes back as it was. If another one was trained since, the Time Mixer learns its slot anew from what the epoch remembers.</source>
        <translation>Eine Epoche kommt zurück, wie sie war. Wurde seither eine andere trainiert, lernt der Time Mixer ihren Slot neu aus dem, woran sie sich erinnert.</translation>
    </message>
    <message>
        <source>Restore</source>
        <translation>Wiederherstellen</translation>
    </message>
    <message>
        <source>Bring back what is chosen</source>
        <translation>Ausgewähltes zurückholen</translation>
    </message>
    <message>
        <source>Empty trash…</source>
        <translation>Papierkorb leeren…</translation>
    </message>
    <message>
        <source>Remove everything in the trash for good</source>
        <translation>Alles im Papierkorb endgültig entfernen</translation>
    </message>
    <message>
        <source>Close</source>
        <translation>Schließen</translation>
    </message>
    <message>
        <source>Epoch</source>
        <translation>Epoche</translation>
    </message>
    <message>
        <source>Text</source>
        <translation>Text</translation>
    </message>
    <message>
        <source>Run {number}</source>
        <translation>Lauf {number}</translation>
    </message>
    <message>
        <source>{name} (and {count} branches)</source>
        <translation>{name} (und {count} Zweige)</translation>
    </message>
    <message>
        <source>What was deleted ({count}) is removed for good, and {size} become free. This cannot be undone.</source>
        <translation>Gelöschtes ({count}) wird endgültig entfernt, {size} werden frei. Das lässt sich nicht rückgängig machen.</translation>
    </message>
    <message>
        <source>Empty trash</source>
        <translation>Papierkorb leeren</translation>
    </message>
    <message>
        <source>Empty the trash?</source>
        <translation>Papierkorb leeren?</translation>
    </message>
    <message>
        <source>Keep</source>
        <translation>Behalten</translation>
    </message>
</context>
<context>
    <name>Undo</name>
    <message>
        <source>An epoch is in training here.</source>
        <translation>Hier wird gerade eine Epoche trainiert.</translation>
    </message>
    <message>
        <source>Wait for its end, or stop it, and try again.</source>
        <translation>Das Ende abwarten oder es anhalten, dann noch einmal versuchen.</translation>
    </message>
    <message>
        <source>Undo</source>
        <translation>Rückgängig</translation>
    </message>
    <message>
        <source>Forget this step</source>
        <translation>Schritt vergessen</translation>
    </message>
    <message>
        <source>Something was changed after that.</source>
        <translation>Danach wurde noch etwas geändert.</translation>
    </message>
    <message>
        <source>Undo this first: {name}.</source>
        <translation>Zuerst dies rückgängig machen: {name}.</translation>
    </message>
    <message>
        <source>{word}: {what}</source>
        <translation>{word}: {what}</translation>
    </message>
</context>
<context>
    <name>ValuesModel</name>
    <message>
        <source>Step</source>
        <translation>Schritt</translation>
    </message>
</context>
<context>
    <name>ValuesTable</name>
    <message>
        <source>Copy</source>
        <translation>Kopieren</translation>
    </message>
</context>
<context>
    <name>Welcome</name>
    <message>
        <source>Train small adapters on texts of your own, one epoch after another, and see which of them writes every word.</source>
        <translation>Kleine Adapter mit eigenen Texten trainieren, eine Epoche nach der anderen, und sehen, welche davon jedes Wort schreibt.</translation>
    </message>
    <message>
        <source>Temporal LoRA</source>
        <translation>Temporal LoRA</translation>
    </message>
    <message>
        <source>{time} left</source>
        <translation>noch {time}</translation>
    </message>
    <message>
        <source>My project</source>
        <translation>Mein Projekt</translation>
    </message>
    <message>
        <source>Create project</source>
        <translation>Projekt anlegen</translation>
    </message>
    <message>
        <source>Make the project folder and load the backbone</source>
        <translation>Den Projektordner anlegen und das Backbone laden</translation>
    </message>
    <message>
        <source>Open a project…</source>
        <translation>Projekt öffnen…</translation>
    </message>
    <message>
        <source>Open a project folder that was made before</source>
        <translation>Einen früher angelegten Projektordner öffnen</translation>
    </message>
    <message>
        <source>Play the demo</source>
        <translation>Demo abspielen</translation>
    </message>
    <message>
        <source>Train on Shakespeare&apos;s plays, then on Python&apos;s standard library, then generate</source>
        <translation>Mit Shakespeares Stücken trainieren, dann mit Pythons Standardbibliothek, dann Text erzeugen</translation>
    </message>
    <message>
        <source>Recent projects</source>
        <translation>Zuletzt geöffnete Projekte</translation>
    </message>
    <message>
        <source>Backbone</source>
        <translation>Backbone</translation>
    </message>
    <message>
        <source>Project</source>
        <translation>Projekt</translation>
    </message>
    <message>
        <source>Project name</source>
        <translation>Name des Projekts</translation>
    </message>
    <message>
        <source>Name of the project and of its folder</source>
        <translation>Name des Projekts und seines Ordners</translation>
    </message>
    <message>
        <source>Folder that holds the project</source>
        <translation>Ordner, in dem das Projekt liegt</translation>
    </message>
    <message>
        <source>The project becomes a folder in here</source>
        <translation>Das Projekt wird ein Ordner hier drin</translation>
    </message>
    <message>
        <source>Browse…</source>
        <translation>Auswählen…</translation>
    </message>
    <message>
        <source>Choose where the project folder goes</source>
        <translation>Wählen, wohin der Projektordner kommt</translation>
    </message>
    <message>
        <source>in</source>
        <translation>in</translation>
    </message>
    <message>
        <source>Give the project a name that can be a folder&apos;s name.</source>
        <translation>Dem Projekt einen Namen geben, der ein Ordnername sein kann.</translation>
    </message>
    <message>
        <source>Choose a folder for the project.</source>
        <translation>Einen Ordner für das Projekt wählen.</translation>
    </message>
    <message>
        <source>There is already something of that name in this folder. Choose another name, or open it.</source>
        <translation>In diesem Ordner gibt es schon etwas dieses Namens. Einen anderen Namen wählen oder es öffnen.</translation>
    </message>
    <message>
        <source>Open a project</source>
        <translation>Projekt öffnen</translation>
    </message>
    <message>
        <source>Folder for the project</source>
        <translation>Ordner für das Projekt</translation>
    </message>
    <message>
        <source>Progress</source>
        <translation>Fortschritt</translation>
    </message>
    <message>
        <source>Cancel</source>
        <translation>Abbrechen</translation>
    </message>
    <message>
        <source>Stop and leave nothing half done</source>
        <translation>Stoppen und nichts Halbes zurücklassen</translation>
    </message>
</context>
<context>
    <name>Workbench</name>
    <message>
        <source>Epochs</source>
        <translation>Epochen</translation>
    </message>
    <message>
        <source>Token</source>
        <translation>Token</translation>
    </message>
    <message>
        <source>Desk</source>
        <translation>Pult</translation>
    </message>
    <message>
        <source>Texts</source>
        <translation>Texte</translation>
    </message>
    <message>
        <source>Charts</source>
        <translation>Diagramme</translation>
    </message>
    <message>
        <source>{project} – Temporal LoRA</source>
        <translation>{project} – Temporal LoRA</translation>
    </message>
    <message>
        <source>{whole} characters are more than any prompt can hold; the first {kept} were pasted.</source>
        <translation>{whole} Zeichen sind mehr, als ein Prompt fassen kann; die ersten {kept} wurden eingefügt.</translation>
    </message>
    <message>
        <source>Errors, and what libraries warn of. The file is {path}.</source>
        <translation>Fehler, und wovor Bibliotheken warnen. Die Datei ist {path}.</translation>
    </message>
    <message>
        <source>Log</source>
        <translation>Protokoll</translation>
    </message>
    <message>
        <source>For whoever looks for a fault: versions, machine, settings and log. No text of yours is in it, but names of folders are. Nothing is sent; read it before you give it to anybody.</source>
        <translation>Für alle, die einen Fehler suchen: Versionen, Rechner, Einstellungen und Protokoll. Eigene Texte stehen nicht darin, aber Namen von Ordnern. Nichts wird verschickt; vor dem Weitergeben bitte durchlesen.</translation>
    </message>
    <message>
        <source>Diagnostic report</source>
        <translation>Diagnosebericht</translation>
    </message>
    <message>
        <source>The language changes when the window is opened next time.</source>
        <translation>Die Sprache wechselt, wenn das Fenster das nächste Mal geöffnet wird.</translation>
    </message>
    <message>
        <source>About Temporal LoRA</source>
        <translation>Über Temporal LoRA</translation>
    </message>
    <message>
        <source>A frozen backbone, one LoRA adapter per text domain, and a Time Mixer that Active Sleep protects.</source>
        <translation>Ein eingefrorenes Backbone, ein LoRA-Adapter je Textdomäne und ein Time Mixer, den Active Sleep schützt.</translation>
    </message>
    <message>
        <source>Open a project</source>
        <translation>Projekt öffnen</translation>
    </message>
</context>
<context>
    <name>demo</name>
    <message>
        <source>The demo trains two epochs, Shakespeare and Python, then asks who speaks.</source>
        <translation>Die Demo trainiert zwei Epochen, Shakespeare und Python, und fragt dann, wer spricht.</translation>
    </message>
    <message>
        <source>Measuring both epochs on held-out text.</source>
        <translation>Beide Epochen werden am Prüftext gemessen.</translation>
    </message>
</context>
</TS>
