package seed

// firstNames and lastNames have their native spelling. Most consist of English
// letters, which is a realistic mix for a name search.
var firstNames = []string{
	"Aisha", "Alexander", "Alice", "Amara", "Andrea", "Angela", "Anna", "Anthony", "Ashley", "Barbara",
	"Ben", "Björn", "Brenda", "Brian", "Carlos", "Carol", "Charles", "Chen", "Chloé", "Christopher",
	"Cynthia", "Daniel", "David", "Deborah", "Diego", "Donna", "Edward", "Elif", "Elizabeth", "Emily",
	"Émile", "Eric", "Fatima", "François", "Frank", "Gary", "George", "Grace", "Grażyna", "Hana",
	"Hannah", "Henry", "Ibrahim", "Ines", "Ingrid", "Isabella", "Jack", "Jacob", "James", "Jan",
	"Jason", "Jeffrey", "Jennifer", "Jessica", "João", "John", "Joseph", "José", "Joshua", "Julia",
	"Karen", "Kevin", "Kimberly", "Laura", "Leila", "Linda", "Lisa", "Łukasz", "Maria", "Marie",
	"Mark", "Martin", "Mary", "Matthew", "Melissa", "Michael", "Michelle", "Mohamed", "Nancy", "Nicole",
	"Noah", "Ólafur", "Olga", "Pamela", "Patricia", "Paul", "Peter", "Priya", "Quentin", "Rachel",
	"Rebecca", "Richard", "Robert", "Ruth", "Ryan", "Samuel", "Sandra", "Sarah", "Søren", "Stephanie",
	"Steven", "Susan", "Thomas", "Timothy", "Ümit", "Umar", "Valentina", "Victor", "Wei", "William",
	"Xavier", "Yasmin", "Yuki", "Yusuf", "Zoe", "Žofia",
}

var lastNames = []string{
	"Adams", "Ahmed", "Allen", "Andersson", "Bailey", "Baker", "Becker", "Brown", "Campbell", "Carter",
	"Castillo", "Chen", "Clark", "Collins", "Cooper", "Cruz", "Davies", "Davis", "Demir", "Díaz",
	"Dubois", "Edwards", "Evans", "Ferrari", "Fischer", "Flores", "Foster", "García", "Gómez", "Gonzalez",
	"Gray", "Green", "Gupta", "Haddad", "Hall", "Hansen", "Harris", "Hernandez", "Hill", "Hoffmann",
	"Horváth", "Hughes", "Ivanova", "Jackson", "Jensen", "Johnson", "Jones", "Kaya", "Kelly", "Khan",
	"Kim", "King", "Kowalski", "Kumar", "Larsen", "Lee", "Lewis", "Li", "Lopez", "MacDonald",
	"Martin", "Martinez", "Meyer", "Miller", "Mitchell", "Moore", "Morgan", "Müller", "Murphy", "Nakamura",
	"Nelson", "Nguyen", "Novák", "O'Brien", "Okafor", "Olsen", "Özdemir", "Parker", "Patel", "Perez",
	"Phillips", "Quinn", "Ramirez", "Reed", "Richardson", "Rivera", "Roberts", "Rodriguez", "Rossi", "Sanchez",
	"Santos", "Schmidt", "Scott", "Silva", "Singh", "Smith", "Stewart", "Suzuki", "Svensson", "Tanaka",
	"Taylor", "Thompson", "Torres", "Turner", "Ueda", "Usman", "van Dijk", "Vásquez", "Walker", "Wang",
	"Weber", "White", "Williams", "Wilson", "Wright", "Xu", "Yamamoto", "Yılmaz", "Young", "Zhang",
}

// wholeNames are written without a space between family and given name, or in
// letters of another script.
var wholeNames = []string{
	"山田太郎", "佐藤花子", "鈴木一郎", "王小明", "李娜", "张伟", "김민준", "이서연",
	"Анна Иванова", "Дмитрий Соколов", "Ελένη Παπαδοπούλου", "نور الهدى", "אורי כהן", "प्रिया शर्मा",
}

var domains = []string{
	"example.com", "example.org", "example.net", "mail.example.com", "post.example.org", "corp.example.net",
}
